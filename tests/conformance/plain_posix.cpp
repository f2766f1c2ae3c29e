// SPDX-License-Identifier: MIT
// plain_posix.cpp - libc's calls on descriptors.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "plain.hpp"

namespace ioring::conformance::plain {
namespace {

int result_of(int status) { return status < 0 ? -errno : status; }

const ::sockaddr* sockaddr_of(const endpoint& address) {
    return static_cast<const ::sockaddr*>(address.data());
}

::socklen_t length_of(const endpoint& address) { return static_cast<::socklen_t>(address.size()); }

int domain_of(address_family family) {
    switch (family) {
        case address_family::ipv4: return AF_INET;
        case address_family::ipv6: return AF_INET6;
        case address_family::local: return AF_UNIX;
        default: return AF_UNSPEC;
    }
}

int closed_on_exec(int made) {
    if (made < 0) return -errno;
    ::fcntl(made, F_SETFD, FD_CLOEXEC);
    return made;
}

int set_option(int number, int level, int name, int value) {
    return result_of(::setsockopt(number, level, name, &value, sizeof value));
}

// By getsockname or getpeername.
endpoint asked(int (*call)(int, ::sockaddr*, ::socklen_t*), int number) {
    endpoint address;
    auto bytes = static_cast<::socklen_t>(endpoint::capacity);
    if (call(number, static_cast<::sockaddr*>(address.data()), &bytes) != 0) return {};
    address.resize(bytes);
    return address;
}

}  // namespace

int open(address_family family, bool datagram) {
    return closed_on_exec(::socket(domain_of(family), datagram ? SOCK_DGRAM : SOCK_STREAM, 0));
}

void close(int number) noexcept { ::close(number); }

int bind(int number, const endpoint& to) {
    return result_of(::bind(number, sockaddr_of(to), length_of(to)));
}

int listen(int number, int backlog) { return result_of(::listen(number, backlog)); }

int connect(int number, const endpoint& to) {
    return result_of(::connect(number, sockaddr_of(to), length_of(to)));
}

int accept(int number) { return closed_on_exec(::accept(number, nullptr, nullptr)); }

std::pair<int, int> local_pair() {
    std::array<int, 2> ends{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) return {-errno, -errno};
    return {ends[0], ends[1]};
}

std::pair<int, int> pipe() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe(ends.data()) != 0) return {-errno, -errno};
    return {ends[0], ends[1]};
}

std::ptrdiff_t send(int number, const char* data, std::size_t bytes) {
    const ::ssize_t sent = ::send(number, data, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 ? -errno : sent;
}

std::ptrdiff_t receive(int number, char* data, std::size_t bytes) {
    const ::ssize_t got = ::recv(number, data, bytes, MSG_DONTWAIT);
    return got < 0 ? -errno : got;
}

bool wait(int number, ready what, std::chrono::milliseconds bound) {
    const short events = what == ready::to_read ? POLLIN : POLLOUT;
    ::pollfd waiting{number, events, 0};
    int result = 0;
    do {
        result = ::poll(&waiting, 1, static_cast<int>(bound.count()));
    } while (result < 0 && errno == EINTR);
    return result == 1;
}

std::size_t unread(int number) {
    int bytes = 0;
    return ::ioctl(number, FIONREAD, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
}

int shut_down(int number, int how) { return result_of(::shutdown(number, how)); }

int set_no_delay(int number) { return set_option(number, IPPROTO_TCP, TCP_NODELAY, 1); }

int set_receive_buffer(int number, int bytes) {
    return set_option(number, SOL_SOCKET, SO_RCVBUF, bytes);
}

int set_buffers(int number, int bytes) {
    const int error = set_receive_buffer(number, bytes);
    return error != 0 ? error : set_option(number, SOL_SOCKET, SO_SNDBUF, bytes);
}

int set_linger_none(int number) {
    const ::linger at_once{1, 0};
    return result_of(::setsockopt(number, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
}

int set_nonblocking(int number) { return result_of(::fcntl(number, F_SETFL, O_NONBLOCK)); }

int pending_error(int number) {
    int reason = 0;
    ::socklen_t bytes = sizeof reason;
    return ::getsockopt(number, SOL_SOCKET, SO_ERROR, &reason, &bytes) == 0 ? reason : errno;
}

endpoint address(int number) { return asked(::getsockname, number); }

endpoint peer_address(int number) { return asked(::getpeername, number); }

bool is_open(int number) { return ::fcntl(number, F_GETFD) >= 0; }

bool is_close_on_exec(int number) { return ::fcntl(number, F_GETFD) == FD_CLOEXEC; }

std::size_t open_descriptors() {
    std::size_t count = 0;
    for (int number = 0; number < 1024; ++number) {
        if (is_open(number)) ++count;
    }
    return count;
}

bool has_flaw(flaw) { return false; }

int process_id() { return ::getpid(); }

}  // namespace ioring::conformance::plain
