// SPDX-License-Identifier: MIT
// socket.hpp - stream sockets as the layers above need them, the same on every system.
//
// Every descriptor made here is closed on exec and never raises SIGPIPE where the system lets a
// socket say so (Darwin; elsewhere the sender says it with MSG_NOSIGNAL). Where a system has no
// call that makes a descriptor close-on-exec from birth (Darwin), a fork and exec in another thread
// at that very moment inherits it.
//
// On an error nothing stays open, out parameters are unchanged and `why`, when given, is one
// sentence that names the address and says what to do. Codes are of the generic category: they
// compare with std::errc.
//
// Threads: any. Each call is a plain system call or a few.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <system_error>

#include "ioring/endpoint.hpp"

namespace ioring::platform {

// POSIX: the descriptor. Windows: a number of the process's socket table (socket_table.hpp).
using native_socket = int;
inline constexpr native_socket invalid_socket = -1;

// The system's own name of `socket`, -1 when there is none; and the library's name of a socket that
// was made elsewhere, which from now on is closed by close_socket(), or -1. POSIX: the same number.
[[nodiscard]] std::intptr_t to_system(native_socket socket) noexcept;
[[nodiscard]] native_socket from_system(std::intptr_t system) noexcept;

// Makes `out` a socket that listens on `address` and `local` the address that it got (the port,
// when 0 was asked for). The caller owns `out`; a local socket's file stays when it is closed.
//
// Errors: address_in_use, address_not_available, permission_denied, invalid_argument (options out
// of range, dual_stack without IPv6, no address), not_supported (reuse_port on a local socket),
// too_many_files_open, device_or_resource_busy (unlink_existing: another starter works in that
// folder for longer than a second), and what else the system says.
[[nodiscard]] std::error_code open_listener(const endpoint& address, const listen_options& options,
                                            native_socket& out, endpoint& local, std::string* why,
                                            bool nonblocking = false) noexcept;

// Makes `out` an unconnected stream socket.
// Errors: address_family_not_supported (unspecified too), too_many_files_open.
[[nodiscard]] std::error_code open_stream(address_family family, native_socket& out,
                                          bool nonblocking = false) noexcept;

// Takes the next connection of `listener`, waiting for one unless the listener is non-blocking.
// `peer` may be nullptr. Connections that were reset before they could be accepted are passed over.
// Errors: operation_would_block, too_many_files_open, ...
[[nodiscard]] std::error_code accept_stream(native_socket listener, native_socket& out,
                                            endpoint* peer, bool nonblocking = false) noexcept;

// Connects to `peer` and makes `out` the socket, which is blocking and has stream_options'
// defaults. Waits at most `timeout` (negative is 0: only what succeeds at once, as on loopback).
// Errors: timed_out, connection_refused, network_unreachable, no_such_file_or_directory (a local
// path), ...
[[nodiscard]] std::error_code connect_blocking(const endpoint& peer,
                                               std::chrono::nanoseconds timeout, native_socket& out,
                                               std::string* why) noexcept;

// Tries one after the other until one connects; `which`, when given, becomes that one. Each attempt
// gets an equal share of what is left of `timeout`, so that one silent address does not use it up.
// Errors: those of the last attempt, while `why` tells of each; invalid_argument when there is none
// to try.
[[nodiscard]] std::error_code connect_any(std::span<const endpoint> peers,
                                          std::chrono::nanoseconds timeout, native_socket& out,
                                          endpoint* which, std::string* why) noexcept;

// TCP_NODELAY. Error: operation_not_supported for a local socket.
[[nodiscard]] std::error_code set_no_delay(native_socket socket, bool on) noexcept;
[[nodiscard]] std::error_code set_nonblocking(native_socket socket, bool on) noexcept;
// Applies all of `options`. Darwin: invalid_argument when the peer is gone already; no reason to
// drop the connection, its next operation tells.
[[nodiscard]] std::error_code configure_stream(native_socket socket,
                                               const stream_options& options) noexcept;

// Ends a direction of a connection: `how` is 0 (receive), 1 (send: the peer reads an end of stream)
// or 2 (both), as in the shutdown SQE. Returns 0 or -errno.
int shutdown_socket(native_socket socket, int how) noexcept;
// Closing it will send a reset, and drop what is unsent (SO_LINGER of no time). The peer of a local
// socket sees a reset only when there are unread bytes here.
[[nodiscard]] std::error_code reset_when_closed(native_socket socket) noexcept;
// Gives the descriptor back. Returns 0 or -errno; unless that is -EBADF, it is gone in either case.
int close_socket(native_socket socket) noexcept;

[[nodiscard]] std::error_code local_endpoint(native_socket socket, endpoint& out) noexcept;
// Error: not_connected.
[[nodiscard]] std::error_code peer_endpoint(native_socket socket, endpoint& out) noexcept;
// The error that waits on the socket (SO_ERROR), which reading it takes away; none when there is
// none.
[[nodiscard]] std::error_code socket_error(native_socket socket) noexcept;

}  // namespace ioring::platform
