// SPDX-License-Identifier: MIT
// socket_event.hpp - what a socket_manager tells its program.
#pragma once

#include <cstdint>
#include <string_view>
#include <system_error>

#include "ioring/socket.hpp"
#include "ioring/sqe.hpp"

namespace ioring {

// What has happened.
enum class event_type : std::uint8_t {
    accepted,       // A connection of `listener`.
    connected,      // One of connect() stands. (One that fails is closed, with the error.)
    received,       // There are bytes in socket->readable(); also, once, when these are the last.
    send_blocked,   // A write was cut, or options.send_high_bytes are unsent: stop for now.
    writable,       // No more than options.send_low_bytes are: go on. Once for each send_blocked.
    drained,        // All was sent; after notify_drained() only.
    peer_closed,    // The peer will send no more, and all it sent was read.
    closed,         // The end, exactly once; `reason` and `error` say why.
    accept_paused,  // `listener` accepts nobody, and goes on by itself. `error` says why.
    timer,          // One of start_timer(); done.user_data is its user_data.
    completion,     // An operation that the program itself prepared on the ring, or a post().
};

// Why a connection has ended.
enum class close_reason : std::uint8_t {
    none,               // Not a closed event.
    closed,             // The program's close() or shutdown_write(), and the peer's end in time.
    aborted,            // The program's abort().
    peer_closed,        // The peer ended its side, and options.allow_half_open is off.
    failed,             // The connection broke: `error`.
    connect_failed,     // It never stood: `error`.
    connect_timeout,    // options.connect_timeout
    handshake_timeout,  // options.handshake_timeout
    idle_timeout,       // options.idle_timeout
    read_timeout,       // options.read_timeout
    write_stalled,      // options.write_stall_timeout
    slow_reader,        // options.slow_reader is close
    drain_timeout,  // Closed or drained, and the peer did not take or end in time: it was reset.
    drained,        // socket_manager::drain(), in time.
};

// "send_blocked". Static.
[[nodiscard]] std::string_view to_string(event_type which) noexcept;
// "idle_timeout". Static.
[[nodiscard]] std::string_view to_string(close_reason which) noexcept;

// One thing that poll() tells. A value, but for `socket`.
struct socket_event {
    event_type type = event_type::completion;  // What it is; which of the others mean something.
    close_reason reason = close_reason::none;  // Of closed.
    ioring::listener_id listener{};            // Of accepted and accept_paused.
    ioring::socket* socket = nullptr;          // Of all that concern a connection.
    std::error_code error{};                   // Of closed and accept_paused.
    cqe done{};                                // Of completion; of timer its user_data.
};

}  // namespace ioring
