// SPDX-License-Identifier: MIT
// system_bsd.cpp - FreeBSD, NetBSD, OpenBSD: accept4() and MSG_NOSIGNAL are there, numbers differ.
#include <cerrno>

#include "backend/readiness/message_flags.hpp"
#include "backend/readiness/system.hpp"
#include "ioring/sqe.hpp"

namespace ioring::backends::readiness::system {
namespace {

int host_socket_flags(std::uint32_t socket_flags) noexcept {
    int flags = 0;
    if ((socket_flags & socket_flag::nonblock) != 0) flags |= SOCK_NONBLOCK;
    if ((socket_flags & socket_flag::cloexec) != 0) flags |= SOCK_CLOEXEC;
    return flags;
}

}  // namespace

int accept_with_flags(int listener, sockaddr* address, socklen_t* address_bytes,
                      std::uint32_t socket_flags) noexcept {
    // Unlike on Linux a new socket would inherit O_NONBLOCK; accept4() says what it is to be.
    return ::accept4(listener, address, address_bytes, host_socket_flags(socket_flags));
}

int socket_with_flags(int domain, std::uint32_t type, int protocol) noexcept {
    constexpr std::uint32_t flags = socket_flag::nonblock | socket_flag::cloexec;
    return ::socket(domain, static_cast<int>(type & ~flags) | host_socket_flags(type), protocol);
}

int host_message_flags(std::uint32_t msg_flags) noexcept {
    const int flags = translate_message_flags(msg_flags);
    return flags < 0 ? flags : flags | MSG_DONTWAIT | MSG_NOSIGNAL;
}

int prepare_to_send(int) noexcept { return 0; }

int send_error(int error) noexcept { return error; }

std::int32_t connect_result(std::int32_t fd, std::int32_t error_hint) noexcept {
    return connect_result_by_error(fd, error_hint);
}

bool is_tcp(int) noexcept { return false; }

short host_peer_ended() noexcept { return 0; }

}  // namespace ioring::backends::readiness::system
