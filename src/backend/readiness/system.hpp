// SPDX-License-Identifier: MIT
// system.hpp - the system calls that the readiness kernel tries: none waits, none raises a signal.
//
// Flags and event masks are Linux's numbers, as in an SQE; results are 0 or more, or -errno. An
// interrupted call is made again.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>

#include "backend/readiness/calls.hpp"
#include "ioring/sqe.hpp"

namespace ioring::backends::readiness::system {

std::int32_t receive_message(std::int32_t fd, msghdr& message, std::uint32_t msg_flags) noexcept;
std::int32_t send_message(std::int32_t fd, const msghdr& message, std::uint32_t msg_flags) noexcept;
// At `offset` of a regular file, or at its position (~0). They wait for the disk.
std::int32_t read_at(std::int32_t fd, std::byte* data, std::size_t bytes,
                     std::uint64_t offset) noexcept;
std::int32_t write_at(std::int32_t fd, const std::byte* data, std::size_t bytes,
                      std::uint64_t offset) noexcept;

// The new descriptor. `address_bytes` may be nullptr when `address` is. The listener must be
// non-blocking. Connections that were reset meanwhile are passed over.
std::int32_t accept(std::int32_t listener, sockaddr* address, std::uint32_t* address_bytes,
                    std::uint32_t socket_flags) noexcept;
// Begins to connect; -EINPROGRESS when that goes on. The socket must be non-blocking.
std::int32_t connect(std::int32_t fd, const sockaddr* address,
                     std::uint32_t address_bytes) noexcept;
// What has become of an attempt that went on, from the error that waits on the socket: 0, -errno,
// or -EINPROGRESS. `error_hint`: what the poller was told, or 0.
std::int32_t connect_result_by_error(std::int32_t fd, std::int32_t error_hint) noexcept;
std::int32_t open_socket(std::int32_t domain, std::uint32_t type, std::int32_t protocol) noexcept;
std::int32_t bind(std::int32_t fd, const sockaddr* address, std::uint32_t address_bytes) noexcept;
std::int32_t listen(std::int32_t fd, std::int32_t backlog) noexcept;

// Makes `fd` non-blocking, or blocking. Returns 1 when it was the other before, 0 when not.
std::int32_t set_nonblocking(std::int32_t fd, bool on) noexcept;
[[nodiscard]] bool is_open(std::int32_t fd) noexcept;
[[nodiscard]] bool is_socket(std::int32_t fd) noexcept;
[[nodiscard]] bool is_regular_file(std::int32_t fd) noexcept;
// A transfer with wait_all goes on until it is complete: a stream's or a sequence of packets'.
[[nodiscard]] bool is_stream(std::int32_t fd) noexcept;
// Which of poll_event's bits are there now: `events`, and always err, hup and rdhup (where the
// system has it). -EBADF.
std::int32_t poll_now(std::int32_t fd, std::uint32_t events) noexcept;

// What differs from system to system (system_linux.cpp, system_bsd.cpp, system_darwin.cpp).
// accept4() or what comes nearest.
int accept_with_flags(int listener, sockaddr* address, socklen_t* address_bytes,
                      std::uint32_t socket_flags) noexcept;
int socket_with_flags(int domain, std::uint32_t type, int protocol) noexcept;
// As connect_result_by_error(), the best way that the system has.
std::int32_t connect_result(std::int32_t fd, std::int32_t error_hint) noexcept;
// A receive that gets less than it has room for has read it empty. False when that is not known.
[[nodiscard]] bool is_tcp(int fd) noexcept;
// poll(2)'s bit for "the peer has ended its side", or 0.
[[nodiscard]] short host_peer_ended() noexcept;

#if defined(__linux__)
inline int host_message_flags(std::uint32_t msg_flags) noexcept {
    // Unknown ones go to the kernel, as on io_uring; wait_all would wait.
    constexpr std::uint32_t always = msg_flag::dont_wait | msg_flag::no_signal;
    return static_cast<int>(((msg_flags & ~msg_flag::wait_all) | always) & 0x7fff'ffffU);
}
inline int prepare_to_send(int) noexcept { return 0; }
inline int send_error(int error) noexcept { return error; }
#else
// The host's flags for a call that does not wait, or -1 when it does not know one of them.
[[nodiscard]] int host_message_flags(std::uint32_t msg_flags) noexcept;
// What must be done to a socket before a send so that it does not wait: 0 or -errno.
int prepare_to_send(int fd) noexcept;
// An errno of a send as the contract has it.
[[nodiscard]] int send_error(int error) noexcept;
#endif

// Makes a call of calls.hpp again that a signal has interrupted.
template <class Call>
std::int32_t repeated(Call call) noexcept {
    for (;;) {
        const std::int32_t result = call();
        if (result != -EINTR) [[likely]]
            return result;
    }
}
inline std::int32_t send_result(std::int32_t result) noexcept {
    return result < 0 ? -send_error(-result) : result;
}
inline std::size_t cut(std::size_t bytes) noexcept { return std::min(bytes, transfer_bytes_max); }

// What an echo does; here, so that whoever calls them is one return away from the system's call.
inline std::int32_t receive(std::int32_t fd, std::byte* data, std::size_t bytes,
                            std::uint32_t msg_flags) noexcept {
    const int flags = host_message_flags(msg_flags);
    if (flags < 0) return -EINVAL;
    return repeated([&] { return calls::receive(fd, data, cut(bytes), flags); });
}
// `address` may be nullptr.
inline std::int32_t send(std::int32_t fd, const std::byte* data, std::size_t bytes,
                         std::uint32_t msg_flags, const sockaddr* address,
                         std::uint32_t address_bytes) noexcept {
    const int flags = host_message_flags(msg_flags);
    if (flags < 0) return -EINVAL;
    if (const int error = prepare_to_send(fd); error != 0) return error;
    return send_result(
        repeated([&] { return calls::send(fd, data, cut(bytes), flags, address, address_bytes); }));
}

}  // namespace ioring::backends::readiness::system
