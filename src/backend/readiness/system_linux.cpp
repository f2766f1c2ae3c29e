// SPDX-License-Identifier: MIT
// system_linux.cpp - Linux: the flags of an SQE are the host's own.
#include <netinet/in.h>
#include <poll.h>

#include <cerrno>

#include "backend/readiness/system.hpp"
#include "ioring/sqe.hpp"

namespace ioring::backends::readiness::system {

static_assert(MSG_PEEK == msg_flag::peek && MSG_TRUNC == msg_flag::trunc &&
              MSG_DONTWAIT == msg_flag::dont_wait && MSG_WAITALL == msg_flag::wait_all &&
              MSG_NOSIGNAL == msg_flag::no_signal && MSG_MORE == msg_flag::more);
static_assert(SOCK_NONBLOCK == socket_flag::nonblock && SOCK_CLOEXEC == socket_flag::cloexec);
static_assert(POLLRDHUP == poll_event::rdhup);

int accept_with_flags(int listener, sockaddr* address, socklen_t* address_bytes,
                      std::uint32_t socket_flags) noexcept {
    return ::accept4(listener, address, address_bytes, static_cast<int>(socket_flags));
}

int socket_with_flags(int domain, std::uint32_t type, int protocol) noexcept {
    return ::socket(domain, static_cast<int>(type), protocol);
}

// Asking again gives the attempt's end, and only that makes the socket connected, or free for
// another attempt, in the kernel's own books. Only the address's family is looked at.
std::int32_t connect_result(std::int32_t fd, std::int32_t) noexcept {
    int family = 0;
    socklen_t bytes = sizeof family;
    if (::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &bytes) != 0) return -errno;
    sockaddr_storage peer{};
    peer.ss_family = static_cast<sa_family_t>(family);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) == 0) return 0;
    if (errno == EISCONN) return 0;
    return errno == EALREADY || errno == EINTR ? -EINPROGRESS : -errno;
}

bool is_tcp(int fd) noexcept {
    int protocol = 0;
    socklen_t bytes = sizeof protocol;
    const bool known = ::getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &bytes) == 0;
    return known && protocol == IPPROTO_TCP;
}

short host_peer_ended() noexcept { return POLLRDHUP; }

}  // namespace ioring::backends::readiness::system
