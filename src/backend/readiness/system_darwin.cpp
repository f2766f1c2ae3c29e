// SPDX-License-Identifier: MIT
// system_darwin.cpp - macOS: no accept4(), no MSG_NOSIGNAL to rely on, sends that ignore DONTWAIT.
//
// Every socket that is sent on becomes non-blocking and stays so.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "backend/readiness/message_flags.hpp"
#include "backend/readiness/system.hpp"
#include "ioring/sqe.hpp"

namespace ioring::backends::readiness::system {
namespace {

// A fork and exec of another thread between birth and here inherits the descriptor: this system has
// no way around that.
int finish_socket(int made, std::uint32_t socket_flags) noexcept {
    if (made < 0) return made;
    if ((socket_flags & socket_flag::cloexec) != 0) (void)::fcntl(made, F_SETFD, FD_CLOEXEC);
    // Inherited from the listener by accept(), so said either way.
    const bool nonblocking = (socket_flags & socket_flag::nonblock) != 0;
    (void)set_nonblocking(made, nonblocking);
    // Fails when the peer is gone already; then there is nothing left to signal.
    const int on = 1;
    (void)::setsockopt(made, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
    return made;
}

}  // namespace

int accept_with_flags(int listener, sockaddr* address, socklen_t* address_bytes,
                      std::uint32_t socket_flags) noexcept {
    return finish_socket(::accept(listener, address, address_bytes), socket_flags);
}

int socket_with_flags(int domain, std::uint32_t type, int protocol) noexcept {
    constexpr std::uint32_t flags = socket_flag::nonblock | socket_flag::cloexec;
    return finish_socket(::socket(domain, static_cast<int>(type & ~flags), protocol), type);
}

int host_message_flags(std::uint32_t msg_flags) noexcept {
    const int flags = translate_message_flags(msg_flags);
    if (flags < 0) return flags;
#if defined(MSG_NOSIGNAL)
    return flags | MSG_DONTWAIT | MSG_NOSIGNAL;
#else
    return flags | MSG_DONTWAIT;
#endif
}

// Asked for each time: the number may be another socket's by now.
int prepare_to_send(int fd) noexcept {
    const std::int32_t changed = set_nonblocking(fd, true);
    if (changed == 1) {
        const int on = 1;
        (void)::setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
    }
    return changed < 0 ? changed : 0;
}

// The peer is tearing the connection down.
int send_error(int error) noexcept { return error == EPROTOTYPE ? ECONNRESET : error; }

std::int32_t connect_result(std::int32_t fd, std::int32_t error_hint) noexcept {
    return connect_result_by_error(fd, error_hint);
}

bool is_tcp(int) noexcept { return false; }

short host_peer_ended() noexcept { return 0; }

}  // namespace ioring::backends::readiness::system
