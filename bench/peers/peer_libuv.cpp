// SPDX-License-Identifier: MIT
// peer_libuv.cpp - echo on libuv, as one would write it who knows libuv well.
//
// All connections read into one hot buffer; uv_try_write() takes what it can at once, and the rest
// is kept and written by uv_write(), during which its connection is not read from.
#include <uv.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <vector>

#include "libuv_server.hpp"

namespace peer {
namespace {

struct connection {
    uv_tcp_t tcp{};
    uv_write_t write{};
    libuv_server* owner = nullptr;
    std::vector<char> unsent;
    bool writing = false;
    bool ended = false;  // The peer has ended its side.
};

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
    const int sent = write_at_once(at.tcp, data, bytes);
    if (sent < 0) return close_connection(at);
    const auto gone = static_cast<std::size_t>(sent);
    if (gone == bytes) return;
    at.unsent.assign(data + gone, data + bytes);
    const uv_buf_t piece = uv_buf_init(at.unsent.data(), static_cast<unsigned>(at.unsent.size()));
    at.write.data = &at;
    at.writing = true;
    if (uv_write(&at.write, stream_of(at.tcp), &piece, 1, on_written) != 0) {
        return close_connection(at);
    }
    uv_read_stop(stream_of(at.tcp));
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
    if (uv_read_start(stream_of(at.tcp), lend_buffer<connection>, on_read) != 0) {
        close_connection(at);
    }
}

void on_connection(uv_stream_t* listener, int status) {
    if (status != 0) return;
    libuv_server& of = *static_cast<libuv_server*>(listener->data);
    auto made = std::make_unique<connection>();
    made->owner = &of;
    made->tcp.data = made.get();
    check(uv_tcp_init(&of.loop, &made->tcp), "uv_tcp_init");
    connection& at = *made.release();
    if (uv_accept(listener, stream_of(at.tcp)) != 0) return close_connection(at);
    ++of.counted->connections;
    start_reading(at);
}

}  // namespace
}  // namespace peer

int main(int argc, char** argv) {
    return peer::serve_libuv<peer::libuv_server>(argc, argv, "libuv", peer::on_connection);
}
