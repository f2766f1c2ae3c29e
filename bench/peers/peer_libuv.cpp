// SPDX-License-Identifier: MIT
// peer_libuv.cpp - echo on libuv, as one would write it who knows libuv well.
//
// All connections read into one hot buffer; uv_try_write() takes what it can at once, and the rest
// is kept and written by uv_write(), during which its connection is not read from.
#include <unistd.h>
#include <uv.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <vector>

#include "peer.hpp"

namespace peer {
namespace {

constexpr std::size_t buffer_bytes = 65'536;
constexpr int backlog = 4096;

struct server;

struct connection {
    uv_tcp_t tcp{};
    uv_write_t write{};
    server* owner = nullptr;
    std::vector<char> unsent;
    bool writing = false;
    bool ended = false;  // The peer has ended its side.
};

struct server {
    uv_loop_t loop{};
    uv_tcp_t listener{};
    uv_poll_t stop{};
    uv_prepare_t turn{};
    counters* counted = nullptr;
    std::vector<char> buffer = std::vector<char>(buffer_bytes);
};

void check(int result, const char* what) {
    if (result != 0) fail(what, -result);
}

uv_stream_t* stream_of(connection& at) { return reinterpret_cast<uv_stream_t*>(&at.tcp); }

void close_connection(connection& at) {
    auto* const handle = reinterpret_cast<uv_handle_t*>(&at.tcp);
    if (uv_is_closing(handle) != 0) return;
    uv_close(handle, [](uv_handle_t* closed) { delete static_cast<connection*>(closed->data); });
}

void start_reading(connection& at);

void on_written(uv_write_t* request, int status) {
    connection& at = *static_cast<connection*>(request->data);
    at.writing = false;
    at.unsent.clear();
    if (status != 0 || at.ended) return close_connection(at);
    start_reading(at);
}

void echo(connection& at, char* data, std::size_t bytes) {
    uv_buf_t piece = uv_buf_init(data, static_cast<unsigned>(bytes));
    const int sent = uv_try_write(stream_of(at), &piece, 1);
    if (sent < 0 && sent != UV_EAGAIN) return close_connection(at);
    const std::size_t gone = sent < 0 ? 0 : static_cast<std::size_t>(sent);
    if (gone == bytes) return;
    at.unsent.assign(data + gone, data + bytes);
    piece = uv_buf_init(at.unsent.data(), static_cast<unsigned>(at.unsent.size()));
    at.write.data = &at;
    at.writing = true;
    if (uv_write(&at.write, stream_of(at), &piece, 1, on_written) != 0) return close_connection(at);
    uv_read_stop(stream_of(at));
}

void on_read(uv_stream_t* stream, ssize_t got, const uv_buf_t* into) {
    connection& at = *static_cast<connection*>(stream->data);
    if (got == 0) return;  // Nothing after all.
    if (got < 0) {
        at.ended = true;
        if (!at.writing) close_connection(at);
        return;
    }
    counters& counted = *at.owner->counted;
    ++counted.messages;
    counted.bytes += static_cast<std::uint64_t>(got);
    echo(at, into->base, static_cast<std::size_t>(got));
}

void start_reading(connection& at) {
    const auto lend = [](uv_handle_t* handle, std::size_t, uv_buf_t* out) {
        std::vector<char>& buffer = static_cast<connection*>(handle->data)->owner->buffer;
        *out = uv_buf_init(buffer.data(), static_cast<unsigned>(buffer.size()));
    };
    if (uv_read_start(stream_of(at), lend, on_read) != 0) close_connection(at);
}

void on_connection(uv_stream_t* listener, int status) {
    if (status != 0) return;
    server& of = *static_cast<server*>(listener->data);
    auto made = std::make_unique<connection>();
    made->owner = &of;
    made->tcp.data = made.get();
    check(uv_tcp_init(&of.loop, &made->tcp), "uv_tcp_init");
    connection& at = *made.release();
    if (uv_accept(listener, stream_of(at)) != 0) return close_connection(at);
    ++of.counted->connections;
    start_reading(at);
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
    announce(listener, std::string{"libuv "} + uv_version_string());
    uv_run(&of.loop, UV_RUN_DEFAULT);
}

}  // namespace
}  // namespace peer

int main(int argc, char** argv) {
    const peer::options wanted = peer::parse_options(argc, argv);
    peer::counters counted;
    peer::run(wanted, counted);
    peer::report("libuv", counted);
    return 0;  // What is still open ends with the process.
}
