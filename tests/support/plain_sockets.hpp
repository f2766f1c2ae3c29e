// SPDX-License-Identifier: MIT
// plain_sockets.hpp - descriptors, and TCP connections over the loopback interface, by libc alone.
//
// For tests of what lies below the library: nothing of it is included here.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace ioring::test_support {

class descriptor_owner {
public:
    descriptor_owner() = default;
    explicit descriptor_owner(int fd) : fd_{fd} {}
    descriptor_owner(descriptor_owner&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    descriptor_owner& operator=(descriptor_owner&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~descriptor_owner() { close(); }

    [[nodiscard]] int get() const { return fd_; }
    void close() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }

private:
    int fd_ = -1;
};

struct connection {
    descriptor_owner ours;  // Non-blocking.
    descriptor_owner theirs;
};

inline void make_nonblocking(int fd) {
    ASSERT_EQ(0, ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK));
}

inline sockaddr_in loopback(std::uint16_t port = 0) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

inline descriptor_owner tcp_socket() { return descriptor_owner{::socket(AF_INET, SOCK_STREAM, 0)}; }

// On a port of its own: the listener's address is in `address` afterwards.
inline descriptor_owner listening(sockaddr_in& address) {
    descriptor_owner listener = tcp_socket();
    address = loopback();
    socklen_t length = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(0, ::bind(listener.get(), generic, length));
    EXPECT_EQ(0, ::listen(listener.get(), 8));
    EXPECT_EQ(0, ::getsockname(listener.get(), generic, &length));
    return listener;
}

inline int connect_to(int fd, const sockaddr_in& address) {
    return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

inline connection connected() {
    sockaddr_in address{};
    const descriptor_owner listener = listening(address);
    connection made{tcp_socket(), descriptor_owner{}};
    EXPECT_EQ(0, connect_to(made.ours.get(), address));
    made.theirs = descriptor_owner{::accept(listener.get(), nullptr, nullptr)};
    EXPECT_LE(0, made.theirs.get());
    make_nonblocking(made.ours.get());
    const int on = 1;  // One byte after the other, without waiting for acknowledgements.
    ::setsockopt(made.theirs.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return made;
}

inline void send_text(const descriptor_owner& to, std::string_view text) {
    ASSERT_EQ(static_cast<ssize_t>(text.size()),
              ::send(to.get(), text.data(), text.size(), MSG_NOSIGNAL));
}

// Sends until there is no room, which a receiver that does not receive ends.
inline void fill(const descriptor_owner& from) {
    const std::vector<char> bytes(1 << 16);
    while (::send(from.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0) {
    }
    ASSERT_EQ(EAGAIN, errno);
}

// Closes with a reset in place of an end of stream.
inline void reset(descriptor_owner& end) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ASSERT_EQ(0, ::setsockopt(end.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)));
    end.close();
}

}  // namespace ioring::test_support
