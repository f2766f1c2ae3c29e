// SPDX-License-Identifier: MIT
// libuv_server.hpp - what the servers on libuv have in common: the loop, its listener, its end.
#pragma once

#include <uv.h>

#include <cstddef>
#include <string>
#include <vector>

#include "peer.hpp"

namespace peer {

inline constexpr int libuv_backlog = 4096;

// A server derives from it; its listener's `data` is the libuv_server. All connections read into
// the one hot buffer.
struct libuv_server {
    uv_loop_t loop{};
    uv_tcp_t listener{};
    uv_poll_t stop{};
    uv_prepare_t turn{};
    const options* wanted = nullptr;
    counters* counted = nullptr;
    std::vector<char> buffer = std::vector<char>(65'536);
};

inline void check(int result, const char* what) {
    if (result != 0) fail(what, -result);
}

inline uv_stream_t* stream_of(uv_tcp_t& tcp) { return reinterpret_cast<uv_stream_t*>(&tcp); }

// A uv_alloc_cb for connections that know their `owner`.
template <class Connection>
void lend_buffer(uv_handle_t* handle, std::size_t, uv_buf_t* out) {
    std::vector<char>& buffer = static_cast<Connection*>(handle->data)->owner->buffer;
    *out = uv_buf_init(buffer.data(), static_cast<unsigned>(buffer.size()));
}

// The bytes of `data` that could be written at once, or a negative error.
inline int write_at_once(uv_tcp_t& to, char* data, std::size_t bytes) {
    const uv_buf_t piece = uv_buf_init(data, static_cast<unsigned>(bytes));
    const int sent = uv_try_write(stream_of(to), &piece, 1);
    return sent == UV_EAGAIN ? 0 : sent;
}

// All of main() for a Server derived from libuv_server, until SIGINT or SIGTERM.
template <class Server>
int serve_libuv(int argc, char** argv, const std::string& name, uv_connection_cb on_connection) {
    const options wanted = parse_options(argc, argv);
    const int stop = open_stop_signal();
    const int listener = open_listener(wanted, /*nonblocking=*/true);
    counters counted;
    Server of;
    of.wanted = &wanted;
    of.counted = &counted;
    check(uv_loop_init(&of.loop), "uv_loop_init");
    check(uv_tcp_init(&of.loop, &of.listener), "uv_tcp_init");
    check(uv_tcp_open(&of.listener, listener), "uv_tcp_open");
    of.listener.data = static_cast<libuv_server*>(&of);
    check(uv_listen(stream_of(of.listener), libuv_backlog, on_connection), "uv_listen");
    check(uv_prepare_init(&of.loop, &of.turn), "uv_prepare_init");
    of.turn.data = &counted;
    uv_prepare_start(&of.turn,
                     [](uv_prepare_t* turn) { ++static_cast<counters*>(turn->data)->enters; });
    check(uv_poll_init(&of.loop, &of.stop, stop), "uv_poll_init");
    uv_poll_start(&of.stop, UV_READABLE,
                  [](uv_poll_t* handle, int, int) { uv_stop(handle->loop); });
    announce(listener, name + " " + uv_version_string());
    uv_run(&of.loop, UV_RUN_DEFAULT);
    report(name, counted);
    return 0;  // What is still open ends with the process.
}

}  // namespace peer
