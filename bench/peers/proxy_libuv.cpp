// SPDX-License-Identifier: MIT
// proxy_libuv.cpp - a TCP proxy on libuv: one hot buffer, uv_try_write() first, uv_write() the
// rest.
#include <unistd.h>
#include <uv.h>

#include <cstddef>
#include <cstdlib>
#include <vector>

#include "peer.hpp"

namespace peer {
namespace {

constexpr std::size_t buffer_bytes = 65'536;
constexpr int backlog = 4096;

struct server;

// One side of a connection; what it receives is written to its partner.
struct half {
    uv_tcp_t tcp{};
    uv_write_t write{};
    uv_shutdown_t end{};
    server* owner = nullptr;
    half* partner = nullptr;
    std::vector<char> unsent;  // For this side.
    bool writing = false;
    bool ended = false;  // It will send no more.
    bool closed = false;
};

struct server {
    uv_loop_t loop{};
    uv_tcp_t listener{};
    uv_poll_t stop{};
    uv_prepare_t turn{};
    const options* wanted = nullptr;
    counters* counted = nullptr;
    std::vector<char> buffer = std::vector<char>(buffer_bytes);
};

void check(int result, const char* what) {
    if (result != 0) fail(what, -result);
}

uv_stream_t* stream_of(half& at) { return reinterpret_cast<uv_stream_t*>(&at.tcp); }

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
    uv_shutdown(&to.end, stream_of(to), [](uv_shutdown_t*, int) {});
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
    uv_buf_t piece = uv_buf_init(data, static_cast<unsigned>(bytes));
    const int sent = uv_try_write(stream_of(to), &piece, 1);
    if (sent < 0 && sent != UV_EAGAIN) return close_pair(to);
    const std::size_t gone = sent < 0 ? 0 : static_cast<std::size_t>(sent);
    if (gone == bytes) return;
    to.unsent.assign(data + gone, data + bytes);
    piece = uv_buf_init(to.unsent.data(), static_cast<unsigned>(to.unsent.size()));
    to.write.data = &to;
    to.writing = true;
    if (uv_write(&to.write, stream_of(to), &piece, 1, on_written) != 0) return close_pair(to);
    uv_read_stop(stream_of(*to.partner));
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
    const auto lend = [](uv_handle_t* handle, std::size_t, uv_buf_t* out) {
        std::vector<char>& buffer = static_cast<half*>(handle->data)->owner->buffer;
        *out = uv_buf_init(buffer.data(), static_cast<unsigned>(buffer.size()));
    };
    if (uv_read_start(stream_of(at), lend, on_read) != 0) close_pair(at);
}

half* new_half(server& of) {
    half* const made = new half;
    made->owner = &of;
    made->tcp.data = made;
    check(uv_tcp_init(&of.loop, &made->tcp), "uv_tcp_init");
    return made;
}

void on_connection(uv_stream_t* listener, int status) {
    if (status != 0) return;
    server& of = *static_cast<server*>(listener->data);
    half& near = *new_half(of);
    half& far = *new_half(of);
    near.partner = &far;
    far.partner = &near;
    const int upstream = connect_upstream(*of.wanted);
    if (uv_accept(listener, stream_of(near)) != 0 || upstream < 0 ||
        uv_tcp_open(&far.tcp, upstream) != 0) {
        return close_pair(near);
    }
    ++of.counted->connections;
    start_reading(near);
    start_reading(far);
}

void run(const options& wanted, counters& counted) {
    const int stop = open_stop_signal();
    const int listener = open_listener(wanted, /*nonblocking=*/true);
    server of;
    of.wanted = &wanted;
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
    announce(listener, std::string{"proxy-libuv "} + uv_version_string());
    uv_run(&of.loop, UV_RUN_DEFAULT);
}

}  // namespace
}  // namespace peer

int main(int argc, char** argv) {
    const peer::options wanted = peer::parse_options(argc, argv);
    peer::counters counted;
    peer::run(wanted, counted);
    peer::report("proxy-libuv", counted);
    return 0;  // What is still open ends with the process.
}
