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

// Until SIGINT or SIGTERM.
inline void run_libuv(libuv_server& of, const options& wanted, const char* name,
                      uv_connection_cb on_connection) {
    const int stop = open_stop_signal();
    const int listener = open_listener(wanted, /*nonblocking=*/true);
    check(uv_loop_init(&of.loop), "uv_loop_init");
    check(uv_tcp_init(&of.loop, &of.listener), "uv_tcp_init");
    check(uv_tcp_open(&of.listener, listener), "uv_tcp_open");
    of.listener.data = &of;
    check(uv_listen(stream_of(of.listener), libuv_backlog, on_connection), "uv_listen");
    check(uv_prepare_init(&of.loop, &of.turn), "uv_prepare_init");
    of.turn.data = &of;
    uv_prepare_start(&of.turn, [](uv_prepare_t* turn) {
        ++static_cast<libuv_server*>(turn->data)->counted->enters;
    });
    check(uv_poll_init(&of.loop, &of.stop, stop), "uv_poll_init");
    uv_poll_start(&of.stop, UV_READABLE,
                  [](uv_poll_t* handle, int, int) { uv_stop(handle->loop); });
    announce(listener, std::string{name} + " " + uv_version_string());
    uv_run(&of.loop, UV_RUN_DEFAULT);
}

}  // namespace peer
