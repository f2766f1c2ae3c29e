// SPDX-License-Identifier: MIT
// condition.cpp - what a BSD kernel would say of a descriptor that epoll calls ready.
#include "condition.hpp"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <climits>
#include <optional>

namespace ioring::kqueue_shim {
namespace {

// tcpi_state, of which the header that has all of tcp_info lacks the names.
enum tcp_state : std::uint8_t {
    fin_wait1 = 4,
    fin_wait2 = 5,
    time_wait = 6,
    last_ack = 9,
    closing = 11,
};

std::optional<int> socket_option(int fd, int option) {
    int value = 0;
    socklen_t length = sizeof(value);
    if (::getsockopt(fd, SOL_SOCKET, option, &value, &length) != 0) return std::nullopt;
    return value;
}

std::optional<tcp_info> tcp_of(int fd) {
    tcp_info info{};
    socklen_t length = sizeof(info);
    if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return std::nullopt;
    return info;
}

// A socket that nobody has connected: epoll calls it hung up and writable, BSD nothing. One that
// was connected has both directions shut down, too.
bool never_connected(int fd, std::uint32_t epoll_events) {
    return (epoll_events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR)) == EPOLLHUP &&
           socket_option(fd, SO_TYPE).has_value();
}

// Our own direction is shut down: BSD says EV_EOF for writing, epoll has no word for it.
bool write_is_shut(const tcp_info& tcp) {
    switch (tcp.tcpi_state) {
        case fin_wait1:
        case fin_wait2:
        case closing:
        case last_ack:
        case time_wait: return true;
        default: return false;
    }
}

int bytes(int fd, unsigned long request) {
    int count = 0;
    return ::ioctl(fd, request, &count) == 0 ? count : 0;
}

bool describe_listener(const std::optional<tcp_info>& tcp, std::uint32_t epoll_events,
                       struct kevent& event) {
    // For a listener this field is the length of the accept queue.
    event.data = tcp && tcp->tcpi_unacked != 0 ? static_cast<std::intptr_t>(tcp->tcpi_unacked) : 1;
    return event.filter == EVFILT_READ && (epoll_events & EPOLLIN) != 0;
}

bool describe_read(int fd, std::uint32_t epoll_events, struct kevent& event) {
    event.data = bytes(fd, FIONREAD);
    if ((epoll_events & (EPOLLRDHUP | EPOLLHUP)) != 0) event.flags |= EV_EOF;
    return true;
}

bool describe_write(int fd, std::uint32_t epoll_events, const std::optional<tcp_info>& tcp,
                    struct kevent& event) {
    // That the peer has ended its side is nothing to a writer.
    if ((epoll_events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) == 0) return false;
    const std::optional<int> buffer = socket_option(fd, SO_SNDBUF);
    const int room = buffer ? *buffer - bytes(fd, SIOCOUTQ) : PIPE_BUF;
    event.data = room > 0 ? room : 0;
    const bool shut = tcp && write_is_shut(*tcp);
    if (shut || (epoll_events & (EPOLLHUP | EPOLLERR)) != 0) event.flags |= EV_EOF;
    return true;
}

}  // namespace

bool is_listener(int fd) { return socket_option(fd, SO_ACCEPTCONN) == 1; }

bool describe(int fd, bool was_listener, std::uint32_t epoll_events, struct kevent& event) {
    const std::optional<tcp_info> tcp = tcp_of(fd);
    if (is_listener(fd)) return describe_listener(tcp, epoll_events, event);
    if (was_listener) {
        event.flags |= EV_EOF;  // Shut down, as FreeBSD tells it.
        return true;
    }
    if (never_connected(fd, epoll_events)) return false;
    if (event.filter == EVFILT_READ) return describe_read(fd, epoll_events, event);
    if (event.filter == EVFILT_WRITE) return describe_write(fd, epoll_events, tcp, event);
    if ((epoll_events & EPOLLPRI) != 0) {
        event.fflags = NOTE_OOB;
        event.flags |= EV_OOBAND;
    }
    if ((epoll_events & (EPOLLHUP | EPOLLERR)) != 0) event.flags |= EV_EOF;
    return (event.flags & (EV_OOBAND | EV_EOF)) != 0;
}

}  // namespace ioring::kqueue_shim
