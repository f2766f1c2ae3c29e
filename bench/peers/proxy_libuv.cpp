// SPDX-License-Identifier: MIT
// proxy_libuv.cpp - a TCP proxy on libuv: one hot buffer, uv_try_write() first, uv_write() the
// rest.
#include <uv.h>

#include <cstddef>
#include <cstdlib>
#include <vector>

#include "libuv_server.hpp"

namespace peer {
namespace {

// One side of a connection; what it receives is written to its partner.
struct half {
    uv_tcp_t tcp{};
    uv_write_t write{};
    uv_shutdown_t end{};
    libuv_server* owner = nullptr;
    half* partner = nullptr;
    std::vector<char> unsent;  // For this side.
    bool writing = false;
    bool ended = false;  // It will send no more.
    bool closed = false;
};

// Deletes both when both handles are closed.
void on_closed(uv_handle_t* handle) {
    half* const at = static_cast<half*>(handle->data);
    at->closed = true;
    if (!at->partner->closed) return;
    delete at->partner;
    delete at;
}

void close_pair(half& at) {
    for (half* const each : {&at, at.partner}) {
        auto* const handle = reinterpret_cast<uv_handle_t*>(&each->tcp);
        if (uv_is_closing(handle) == 0) uv_close(handle, on_closed);
    }
}

void start_reading(half& at);

// `to`'s partner has ended, and all that it sent is written.
void pass_end(half& to) {
    if (to.ended) return close_pair(to);
    uv_shutdown(&to.end, stream_of(to.tcp), [](uv_shutdown_t*, int) {});
}

void on_written(uv_write_t* request, int status) {
    half& to = *static_cast<half*>(request->data);
    to.writing = false;
    to.unsent.clear();
    if (status != 0) return close_pair(to);
    if (to.partner->ended) return pass_end(to);
    start_reading(*to.partner);
}

void send(half& to, char* data, std::size_t bytes) {
    const int sent = write_at_once(to.tcp, data, bytes);
    if (sent < 0) return close_pair(to);
    const auto gone = static_cast<std::size_t>(sent);
    if (gone == bytes) return;
    to.unsent.assign(data + gone, data + bytes);
    const uv_buf_t piece = uv_buf_init(to.unsent.data(), static_cast<unsigned>(to.unsent.size()));
    to.write.data = &to;
    to.writing = true;
    if (uv_write(&to.write, stream_of(to.tcp), &piece, 1, on_written) != 0) return close_pair(to);
    uv_read_stop(stream_of(to.partner->tcp));
}

void on_read(uv_stream_t* stream, ssize_t got, const uv_buf_t* into) {
    half& at = *static_cast<half*>(stream->data);
    if (got == 0) return;  // Nothing after all.
    if (got == UV_EOF) {
        at.ended = true;
        uv_read_stop(stream);
        if (!at.partner->writing) pass_end(*at.partner);
        return;
    }
    if (got < 0) return close_pair(at);
    counters& counted = *at.owner->counted;
    ++counted.messages;
    counted.bytes += static_cast<std::uint64_t>(got);
    send(*at.partner, into->base, static_cast<std::size_t>(got));
}

void start_reading(half& at) {
    if (uv_read_start(stream_of(at.tcp), lend_buffer<half>, on_read) != 0) close_pair(at);
}

half* new_half(libuv_server& of) {
    half* const made = new half;
    made->owner = &of;
    made->tcp.data = made;
    check(uv_tcp_init(&of.loop, &made->tcp), "uv_tcp_init");
    return made;
}

void on_connection(uv_stream_t* listener, int status) {
    if (status != 0) return;
    libuv_server& of = *static_cast<libuv_server*>(listener->data);
    half& near = *new_half(of);
    half& far = *new_half(of);
    near.partner = &far;
    far.partner = &near;
    const int upstream = connect_upstream(*of.wanted);
    if (uv_accept(listener, stream_of(near.tcp)) != 0 || upstream < 0 ||
        uv_tcp_open(&far.tcp, upstream) != 0) {
        return close_pair(near);
    }
    ++of.counted->connections;
    start_reading(near);
    start_reading(far);
}

}  // namespace
}  // namespace peer

int main(int argc, char** argv) {
    return peer::serve_libuv<peer::libuv_server>(argc, argv, "proxy-libuv", peer::on_connection);
}
