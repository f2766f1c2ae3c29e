// SPDX-License-Identifier: MIT
// broadcast_libuv.cpp - what one connection says is sent to all others, on libuv: uv_try_write(),
// and uv_write() with a copy for the rest.
#include <uv.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <vector>

#include "libuv_server.hpp"

namespace peer {
namespace {

constexpr std::size_t unsent_max_bytes = 1'048'576;

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

struct server : libuv_server {
    std::vector<connection*> room;
};

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
    const int sent = write_at_once(to.tcp, data, bytes);
    if (sent < 0) return close_connection(to);
    const auto gone = static_cast<std::size_t>(sent);
    if (gone == bytes) return;
    if (uv_stream_get_write_queue_size(stream_of(to.tcp)) > unsent_max_bytes) {
        return close_connection(to);
    }
    auto* const kept = new pending;
    kept->bytes.assign(data + gone, data + bytes);
    kept->write.data = kept;
    const uv_buf_t piece =
        uv_buf_init(kept->bytes.data(), static_cast<unsigned>(kept->bytes.size()));
    const auto done = [](uv_write_t* request, int) { delete static_cast<pending*>(request->data); };
    if (uv_write(&kept->write, stream_of(to.tcp), &piece, 1, done) != 0) delete kept;
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
    auto& of = static_cast<server&>(*static_cast<libuv_server*>(listener->data));
    auto* const made = new connection;
    made->owner = &of;
    made->tcp.data = made;
    check(uv_tcp_init(&of.loop, &made->tcp), "uv_tcp_init");
    made->place = of.room.size();
    of.room.push_back(made);
    if (uv_accept(listener, stream_of(made->tcp)) != 0 ||
        uv_read_start(stream_of(made->tcp), lend_buffer<connection>, on_read) != 0) {
        return close_connection(*made);
    }
    ++of.counted->connections;
}

}  // namespace
}  // namespace peer

int main(int argc, char** argv) {
    return peer::serve_libuv<peer::server>(argc, argv, "broadcast-libuv", peer::on_connection);
}
