// SPDX-License-Identifier: MIT
// poller_test_support.hpp - a poller under test, and sockets for it to watch.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/backend.hpp"
#include "backend/readiness/poller.hpp"

namespace ioring::backends::readiness {

inline constexpr std::int64_t millisecond_ns = 1'000'000;
inline constexpr std::int64_t patience_ns = 10'000 * millisecond_ns;
// What does not come within this time does not come.
inline constexpr std::int64_t silence_ns = 30 * millisecond_ns;

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

// A TCP listener on a port of its own, whose address it leaves.
inline descriptor_owner listening(sockaddr_in& address) {
    descriptor_owner listener{::socket(AF_INET, SOCK_STREAM, 0)};
    address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    EXPECT_EQ(0, ::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), length));
    EXPECT_EQ(0, ::listen(listener.get(), 8));
    EXPECT_EQ(0, ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length));
    return listener;
}

inline int connect_to(int fd, const sockaddr_in& address) {
    return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

inline connection connected() {
    sockaddr_in address{};
    const descriptor_owner listener = listening(address);
    connection made{descriptor_owner{::socket(AF_INET, SOCK_STREAM, 0)}, {}};
    EXPECT_EQ(0, connect_to(made.ours.get(), address));
    made.theirs = descriptor_owner{::accept(listener.get(), nullptr, nullptr)};
    EXPECT_LE(0, made.theirs.get());
    make_nonblocking(made.ours.get());
    const int on = 1;
    ::setsockopt(made.theirs.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return made;
}

inline void send_text(const descriptor_owner& to, std::string_view text) {
    ASSERT_EQ(static_cast<ssize_t>(text.size()),
              ::send(to.get(), text.data(), text.size(), MSG_NOSIGNAL));
}

// Sends until there is no room.
inline void fill(const descriptor_owner& from) {
    const std::vector<char> bytes(1 << 16);
    while (::send(from.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0) {
    }
    ASSERT_EQ(EAGAIN, errno);
}

// Receives what has come, without waiting. Returns how much.
inline std::size_t drain(const descriptor_owner& from) {
    std::vector<char> bytes(1 << 16);
    std::size_t total = 0;
    for (;;) {
        const ssize_t got = ::recv(from.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (got <= 0) return total;
        total += static_cast<std::size_t>(got);
    }
}

// Ends the connection by a reset.
inline void reset(descriptor_owner& end) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ASSERT_EQ(0, ::setsockopt(end.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)));
    end.close();
}

template <class Poller>
class poller_test : public ::testing::Test {
protected:
    void SetUp() override {
        std::string why;
        ASSERT_FALSE(poller_.set_up(why)) << why;
    }

    void arm(const descriptor_owner& fd, std::uint8_t directions, arming how = arming::once) {
        ASSERT_TRUE(poller_.reserve(fd.get()));
        poller_.arm(fd.get(), directions, how);
    }
    // The directions that are told of `fd` until one of `wanted` is, or 0 after `wait_ns` without.
    // What is told of others does no harm: a poller may tell too much.
    std::uint8_t told(const descriptor_owner& fd, std::uint8_t wanted,
                      std::int64_t wait_ns = patience_ns) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds{wait_ns};
        std::uint8_t found = 0;
        do {
            std::array<ready_event, 16> events{};
            const std::chrono::nanoseconds left = end - std::chrono::steady_clock::now();
            const int count = poller_.wait(events, std::max<std::int64_t>(left.count(), 0));
            if (count < 0) {
                EXPECT_EQ(-EINTR, count);
                continue;
            }
            for (int index = 0; index < count; ++index) {
                const ready_event& each = events[static_cast<std::size_t>(index)];
                if (each.fd == fd.get()) found |= each.directions;
            }
            if ((found & wanted) != 0) return found;
        } while (std::chrono::steady_clock::now() < end);
        return 0;
    }
    bool hears(const descriptor_owner& fd, std::uint8_t wanted) { return told(fd, wanted) != 0; }
    bool silent(const descriptor_owner& fd, std::uint8_t of = direction::all) {
        return told(fd, of, silence_ns) == 0;
    }
    // Takes what there is, without waiting.
    void flush() {
        std::array<ready_event, 16> events{};
        while (poller_.wait(events, 0) > 0) {
        }
    }

    // Receives what has come, and lets the poller see that. epoll and kqueue need not be shown, but
    // poll(2) tells levels only: bytes that come before it has looked are no new ones to it.
    void read_all(const descriptor_owner& fd) {
        drain(fd);
        if (std::string_view{Poller::name} == "poll") flush();
    }

    Poller poller_;
};

}  // namespace ioring::backends::readiness
