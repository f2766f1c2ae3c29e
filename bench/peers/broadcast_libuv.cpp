// SPDX-License-Identifier: MIT
// broadcast_libuv.cpp - what one connection says is sent to all others, on libuv: uv_try_write(),
// and uv_write() with a copy for the rest.
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <vector>

#include "peer.hpp"

namespace peer {
namespace {

constexpr std::size_t buffer_bytes = 65'536;
constexpr std::size_t unsent_max_bytes = 1'048'576;
constexpr int backlog = 4096;

struct server;

struct connection {
    uv_tcp_t tcp{};
    server* owner = nullptr;
    std::size_t place = 0;  // In the room.
};

struct pending {
    uv_write_t write{};
    std::vector<char> bytes;
};

struct server {
    uv_loop_t loop{};
    uv_tcp_t listener{};
    uv_poll_t stop{};
    uv_prepare_t turn{};
    counters* counted = nullptr;
    std::vector<char> buffer = std::vector<char>(buffer_bytes);
    std::vector<connection*> room;
};

void check(int result, const char* what) {
    if (result != 0) fail(what, -result);
}

uv_stream_t* stream_of(connection& at) { return reinterpret_cast<uv_stream_t*>(&at.tcp); }

void close_connection(connection& at) {
    auto* const handle = reinterpret_cast<uv_handle_t*>(&at.tcp);
    if (uv_is_closing(handle) != 0) return;
    uv_close(handle, [](uv_handle_t* closed) {
        auto* const gone = static_cast<connection*>(closed->data);
        std::vector<connection*>& room = gone->owner->room;
        room[gone->place] = room.back();
        room[gone->place]->place = gone->place;
        room.pop_back();
        delete gone;
    });
}

void send(connection& to, char* data, std::size_t bytes) {
    uv_buf_t piece = uv_buf_init(data, static_cast<unsigned>(bytes));
    const int sent = uv_try_write(stream_of(to), &piece, 1);
    if (sent < 0 && sent != UV_EAGAIN) return close_connection(to);
    const std::size_t gone = sent < 0 ? 0 : static_cast<std::size_t>(sent);
    if (gone == bytes) return;
    if (uv_stream_get_write_queue_size(stream_of(to)) > unsent_max_bytes) {
        return close_connection(to);
    }
    auto* const kept = new pending;
    kept->bytes.assign(data + gone, data + bytes);
    kept->write.data = kept;
    piece = uv_buf_init(kept->bytes.data(), static_cast<unsigned>(kept->bytes.size()));
    const auto done = [](uv_write_t* request, int) { delete static_cast<pending*>(request->data); };
    if (uv_write(&kept->write, stream_of(to), &piece, 1, done) != 0) delete kept;
}

void on_read(uv_stream_t* stream, ssize_t got, const uv_buf_t* into) {
    connection& at = *static_cast<connection*>(stream->data);
    if (got == 0) return;  // Nothing after all.
    if (got < 0) return close_connection(at);
    counters& counted = *at.owner->counted;
    ++counted.messages;
    counted.bytes += static_cast<std::uint64_t>(got);
    for (connection* const each : at.owner->room) {
        if (each != &at) send(*each, into->base, static_cast<std::size_t>(got));
    }
}

void on_connection(uv_stream_t* listener, int status) {
    if (status != 0) return;
    server& of = *static_cast<server*>(listener->data);
    auto* const made = new connection;
    made->owner = &of;
    made->tcp.data = made;
    check(uv_tcp_init(&of.loop, &made->tcp), "uv_tcp_init");
    made->place = of.room.size();
    of.room.push_back(made);
    const auto lend = [](uv_handle_t* handle, std::size_t, uv_buf_t* out) {
        std::vector<char>& buffer = static_cast<connection*>(handle->data)->owner->buffer;
        *out = uv_buf_init(buffer.data(), static_cast<unsigned>(buffer.size()));
    };
    if (uv_accept(listener, stream_of(*made)) != 0 ||
        uv_read_start(stream_of(*made), lend, on_read) != 0) {
        return close_connection(*made);
    }
    ++of.counted->connections;
}

void run(const options& wanted, counters& counted) {
    const int stop = open_stop_signal();
    const int listener = open_listener(wanted, /*nonblocking=*/true);
    server of;
    of.counted = &counted;
    check(uv_loop_init(&of.loop), "uv_loop_init");
    check(uv_tcp_init(&of.loop, &of.listener), "uv_tcp_init");
    check(uv_tcp_open(&of.listener, listener), "uv_tcp_open");
    of.listener.data = &of;
    auto* const accepting = reinterpret_cast<uv_stream_t*>(&of.listener);
    check(uv_listen(accepting, backlog, on_connection), "uv_listen");
    check(uv_prepare_init(&of.loop, &of.turn), "uv_prepare_init");
    of.turn.data = &of;
    uv_prepare_start(
        &of.turn, [](uv_prepare_t* turn) { ++static_cast<server*>(turn->data)->counted->enters; });
    check(uv_poll_init(&of.loop, &of.stop, stop), "uv_poll_init");
    uv_poll_start(&of.stop, UV_READABLE,
                  [](uv_poll_t* handle, int, int) { uv_stop(handle->loop); });
    announce(listener, std::string{"broadcast-libuv "} + uv_version_string());
    uv_run(&of.loop, UV_RUN_DEFAULT);
}

}  // namespace
}  // namespace peer

int main(int argc, char** argv) {
    const peer::options wanted = peer::parse_options(argc, argv);
    peer::counters counted;
    peer::run(wanted, counted);
    peer::report("broadcast-libuv", counted);
    return 0;  // What is still open ends with the process.
}
