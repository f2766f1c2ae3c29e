// SPDX-License-Identifier: MIT
// sockets.cpp - plain sockets by plain calls.
#include "sockets.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace ioring::conformance {
namespace {

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

std::string loopback(address_family family) {
    return family == address_family::ipv6 ? "[::1]:0" : "127.0.0.1:0";
}

endpoint parsed(std::string_view text) {
    endpoint address;
    EXPECT_FALSE(endpoint::parse(text, address)) << text;
    return address;
}

socket_end open_socket(int domain, int type) {
    socket_end opened{::socket(domain, type, 0)};
    EXPECT_LE(0, opened.number()) << std::strerror(errno);
    ::fcntl(opened.number(), F_SETFD, FD_CLOEXEC);
    return opened;
}

void set_option(const socket_end& of, int level, int name, int value) {
    EXPECT_EQ(0, ::setsockopt(of.number(), level, name, &value, sizeof value))
        << std::strerror(errno);
}

// By getsockname or getpeername.
endpoint asked(int (*call)(int, ::sockaddr*, ::socklen_t*), const socket_end& of) {
    endpoint address;
    auto bytes = static_cast<::socklen_t>(endpoint::capacity);
    if (call(of.number(), static_cast<::sockaddr*>(address.data()), &bytes) != 0) return {};
    address.resize(bytes);
    return address;
}

bool has_ipv6() {
    const socket_end trial{::socket(AF_INET6, SOCK_STREAM, 0)};
    const endpoint any = parsed(loopback(address_family::ipv6));
    return trial.number() >= 0 && ::bind(trial.number(), sockaddr_of(any), length_of(any)) == 0;
}

bool becomes(const socket_end& which, short events, std::chrono::milliseconds bound) {
    ::pollfd waiting{which.number(), events, 0};
    int result = 0;
    do {
        result = ::poll(&waiting, 1, static_cast<int>(bound.count()));
    } while (result < 0 && errno == EINTR);
    return result == 1;
}

// Small buffers must be there before the connection is, or TCP has agreed on more.
socket_pair pair_with(address_family family, int buffer_bytes) {
    socket_end listener = open_socket(domain_of(family), SOCK_STREAM);
    const endpoint any = parsed(loopback(family));
    socket_end client = open_socket(domain_of(family), SOCK_STREAM);
    if (buffer_bytes != 0) {
        for (const socket_end* each : {&listener, &client}) {
            set_option(*each, SOL_SOCKET, SO_RCVBUF, buffer_bytes);
            set_option(*each, SOL_SOCKET, SO_SNDBUF, buffer_bytes);
        }
    }
    EXPECT_EQ(0, ::bind(listener.number(), sockaddr_of(any), length_of(any)));
    EXPECT_EQ(0, ::listen(listener.number(), 1));
    const endpoint address = address_of(listener);
    EXPECT_EQ(0, ::connect(client.number(), sockaddr_of(address), length_of(address)));
    socket_end server = accept_from(listener);
    set_option(client, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(server, IPPROTO_TCP, TCP_NODELAY, 1);
    return {std::move(server), std::move(client)};
}

}  // namespace

std::chrono::milliseconds patience_left() {
    return testing::Test::HasFailure() ? std::chrono::milliseconds{100} : patience;
}

void socket_end::close() noexcept {
    if (number_ >= 0) ::close(release());
}

void socket_end::reset() {
    const ::linger at_once{1, 0};
    EXPECT_EQ(0, ::setsockopt(number_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
    close();
}

socket_pair tcp_pair(address_family family) { return pair_with(family, /*buffer_bytes=*/0); }

socket_pair connected_pair() { return tcp_pair(address_family::ipv4); }

socket_pair narrow_pair() { return pair_with(address_family::ipv4, /*buffer_bytes=*/16'384); }

socket_pair local_pair() {
    std::array<int, 2> ends{-1, -1};
    EXPECT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()));
    return {socket_end{ends[0]}, socket_end{ends[1]}};
}

std::vector<socket_pair> every_stream() {
    std::vector<socket_pair> all;
    all.push_back(tcp_pair(address_family::ipv4));
    all.push_back(local_pair());
    if (has_ipv6()) all.push_back(tcp_pair(address_family::ipv6));
    return all;
}

std::vector<std::string> stream_addresses() {
    std::vector<std::string> all{"127.0.0.1:0",
                                 "unix:@ioring-conformance-" + std::to_string(::getpid())};
    if (has_ipv6()) all.emplace_back("[::1]:0");
    return all;
}

socket_pair pipe_pair() {
    std::array<int, 2> ends{-1, -1};
    EXPECT_EQ(0, ::pipe(ends.data()));
    return {socket_end{ends[0]}, socket_end{ends[1]}};
}

socket_end open_datagram() {
    socket_end made = open_socket(AF_INET, SOCK_DGRAM);
    const endpoint any = parsed(loopback(address_family::ipv4));
    EXPECT_EQ(0, ::bind(made.number(), sockaddr_of(any), length_of(any)));
    return made;
}

socket_pair datagram_pair() {
    socket_pair both{open_datagram(), open_datagram()};
    const endpoint ours = address_of(both.ours);
    const endpoint theirs = address_of(both.theirs);
    EXPECT_EQ(0, ::connect(both.ours.number(), sockaddr_of(theirs), length_of(theirs)));
    EXPECT_EQ(0, ::connect(both.theirs.number(), sockaddr_of(ours), length_of(ours)));
    return both;
}

plain_listener listen_on(std::string_view address, int backlog) {
    const endpoint wanted = parsed(address);
    plain_listener made;
    made.socket = open_socket(domain_of(wanted.family()), SOCK_STREAM);
    EXPECT_EQ(0, ::bind(made.socket.number(), sockaddr_of(wanted), length_of(wanted)))
        << address << ": " << std::strerror(errno);
    EXPECT_EQ(0, ::listen(made.socket.number(), backlog));
    made.address = address_of(made.socket);
    return made;
}

socket_end open_stream(address_family family) {
    return open_socket(domain_of(family), SOCK_STREAM);
}

socket_end connect_to(const endpoint& address) {
    socket_end client = open_stream(address.family());
    EXPECT_EQ(0, ::connect(client.number(), sockaddr_of(address), length_of(address)))
        << to_string(address) << ": " << std::strerror(errno);
    return client;
}

void expect_refused(const endpoint& address) {
    const socket_end client = open_stream(address.family());
    EXPECT_EQ(-1, ::connect(client.number(), sockaddr_of(address), length_of(address)));
    EXPECT_EQ(ECONNREFUSED, errno);
}

socket_end accept_from(const socket_end& listener) {
    if (!becomes(listener, POLLIN, patience_left())) {
        ADD_FAILURE() << "no connection came";
        return {};
    }
    socket_end accepted{::accept(listener.number(), nullptr, nullptr)};
    EXPECT_LE(0, accepted.number()) << std::strerror(errno);
    ::fcntl(accepted.number(), F_SETFD, FD_CLOEXEC);
    return accepted;
}

bool send_all(const socket_end& from, std::string_view bytes) {
    while (!bytes.empty()) {
        if (!becomes(from, POLLOUT, patience_left())) return false;
        const ::ssize_t sent =
            ::send(from.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
        if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

std::string receive(const socket_end& at, std::size_t count) {
    std::string all(count, '\0');
    std::size_t have = 0;
    while (have < count && becomes(at, POLLIN, patience_left())) {
        const ::ssize_t got = ::recv(at.number(), &all[have], count - have, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) break;
        if (got > 0) have += static_cast<std::size_t>(got);
    }
    all.resize(have);
    return all;
}

std::string receive_to_end(const socket_end& at) {
    std::string all;
    std::array<char, 65'536> chunk;
    while (becomes(at, POLLIN, patience_left())) {
        const ::ssize_t got = ::recv(at.number(), chunk.data(), chunk.size(), MSG_DONTWAIT);
        if (got == 0) return all;
        if (got > 0) all.append(chunk.data(), static_cast<std::size_t>(got));
        if (got < 0 && errno != EAGAIN && errno != EINTR) {
            ADD_FAILURE() << "an error instead of the end: " << std::strerror(errno);
            return all;
        }
    }
    ADD_FAILURE() << "the end of the stream does not come";
    return all;
}

std::string receive_some(const socket_end& at) {
    std::string some(65'536, '\0');
    const ::ssize_t got = ::recv(at.number(), some.data(), some.size(), MSG_DONTWAIT);
    some.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return some;
}

bool readable(const socket_end& at, std::chrono::milliseconds bound) {
    return becomes(at, POLLIN, bound);
}

std::size_t fill(const socket_end& from) {
    const std::string zeros(4096, '\0');
    std::size_t total = 0;
    const auto send_some = [&](std::size_t count) {
        const ::ssize_t sent =
            ::send(from.number(), zeros.data(), count, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) total += static_cast<std::size_t>(sent);
        return sent > 0;
    };
    // TCP acknowledges up to 40 ms later what the other end has in its buffer already, and then
    // there is room once more.
    do {
        while (send_some(zeros.size()) || send_some(1)) {
        }
        ::poll(nullptr, 0, /*ms=*/50);
    } while (send_some(1));
    return total;
}

void set_nonblocking(const socket_end& which) {
    EXPECT_EQ(0, ::fcntl(which.number(), F_SETFL, O_NONBLOCK));
}

std::size_t unread(const socket_end& at) {
    int bytes = 0;
    EXPECT_EQ(0, ::ioctl(at.number(), FIONREAD, &bytes));
    return static_cast<std::size_t>(bytes);
}

endpoint address_of(const socket_end& of) { return asked(::getsockname, of); }

endpoint address_of_peer(const socket_end& of) { return asked(::getpeername, of); }

std::string pattern(std::size_t bytes, unsigned seed) {
    std::string all(bytes, '\0');
    std::uint32_t state = seed * 2'654'435'761U + 1;
    for (char& each : all) {
        state = state * 1'664'525U + 1'013'904'223U;
        each = static_cast<char>(state >> 24U);
    }
    return all;
}

std::size_t open_descriptors() {
    std::size_t count = 0;
    for (int number = 0; number < 1024; ++number) {
        if (::fcntl(number, F_GETFD) >= 0) ++count;
    }
    return count;
}

}  // namespace ioring::conformance
