// SPDX-License-Identifier: MIT
// kqueue_test_support.hpp - a kqueue under test and sockets to watch, by plain libc calls.
//
// These tests know nothing of the shim: they say what every kqueue does, and run unchanged on a
// system that has one, or with another implementation preloaded.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/event.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

namespace ioring::kqueue_test {

using std::chrono::milliseconds;

inline constexpr milliseconds patience{10'000};
// A timer or a wait may be late or early by this much: some kernels count in ticks.
inline constexpr milliseconds slack{20};

class descriptor {
public:
    descriptor() = default;
    explicit descriptor(int fd) : fd_{fd} {}
    descriptor(descriptor&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    descriptor& operator=(descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~descriptor() { close(); }

    [[nodiscard]] int get() const { return fd_; }
    void close() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }

private:
    int fd_ = -1;
};

struct connection {
    descriptor ours;  // Non-blocking.
    descriptor theirs;
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

inline descriptor tcp_socket() { return descriptor{::socket(AF_INET, SOCK_STREAM, 0)}; }

// A listener's address is in `address` afterwards.
inline descriptor listening(sockaddr_in& address) {
    descriptor listener = tcp_socket();
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

// Two ends of a TCP connection over the loopback interface.
inline connection connected() {
    sockaddr_in address{};
    const descriptor listener = listening(address);
    connection made{tcp_socket(), descriptor{}};
    EXPECT_EQ(0, connect_to(made.ours.get(), address));
    made.theirs = descriptor{::accept(listener.get(), nullptr, nullptr)};
    EXPECT_LE(0, made.theirs.get());
    make_nonblocking(made.ours.get());
    const int on = 1;  // One byte after the other, without waiting for acknowledgements.
    ::setsockopt(made.theirs.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return made;
}

inline void send_text(const descriptor& to, const char* text) {
    const std::size_t length = std::char_traits<char>::length(text);
    ASSERT_EQ(static_cast<ssize_t>(length), ::send(to.get(), text, length, MSG_NOSIGNAL));
}

// Sends until there is no room, which a receiver that does not receive ends.
inline void fill(const descriptor& from) {
    const std::vector<char> bytes(1 << 16);
    while (::send(from.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0) {
    }
    ASSERT_EQ(EAGAIN, errno);
}

// Closes with a reset in place of an end of stream.
inline void reset(descriptor& end) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ASSERT_EQ(0, ::setsockopt(end.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)));
    end.close();
}

// Sends one byte as out-of-band data.
inline void send_urgent(const descriptor& to) {
    ASSERT_EQ(1, ::send(to.get(), "!", 1, MSG_OOB | MSG_NOSIGNAL));
}

using event_list = std::vector<struct kevent>;

inline struct kevent change_of(std::uintptr_t ident, int filter, int flags, unsigned fflags = 0,
                               std::intptr_t data = 0, std::uintptr_t udata = 0) {
    struct kevent change {};
    change.ident = ident;
    change.filter = static_cast<decltype(change.filter)>(filter);
    change.flags = static_cast<decltype(change.flags)>(flags);
    change.fflags = fflags;
    change.data = data;
    change.udata = (decltype(change.udata))udata;  // An integer or a pointer.
    return change;
}

inline struct kevent change_of(const descriptor& of, int filter, int flags,
                               std::uintptr_t udata = 0) {
    return change_of(static_cast<std::uintptr_t>(of.get()), filter, flags, 0, 0, udata);
}

inline std::uintptr_t udata_of(const struct kevent& event) { return (std::uintptr_t)event.udata; }

class kqueue_test : public ::testing::Test {
protected:
    void SetUp() override { ASSERT_LE(0, kq_.get()) << errno; }

    // kevent() as it is, with room for `room` events and at most `wait` of time.
    int call(const event_list& changes, int room, milliseconds wait) {
        events_.assign(static_cast<std::size_t>(room), {});
        const timespec timeout{.tv_sec = static_cast<time_t>(wait.count() / 1000),
                               .tv_nsec = static_cast<long>(wait.count() % 1000) * 1'000'000};
        const int count = ::kevent(kq_.get(), changes.data(), static_cast<int>(changes.size()),
                                   events_.data(), room, &timeout);
        events_.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
        return count;
    }
    // Applies changes, each of which must succeed.
    void apply(const event_list& changes) {
        for (const struct kevent& change : changes) {
            ASSERT_EQ(0, ::kevent(kq_.get(), &change, 1, nullptr, 0, nullptr)) << errno;
        }
    }
    // The errno of one change.
    int error_of(const struct kevent& change) {
        return ::kevent(kq_.get(), &change, 1, nullptr, 0, nullptr) == 0 ? 0 : errno;
    }
    // The next events: waits for one.
    const event_list& next(milliseconds wait = patience) {
        EXPECT_LE(0, call({}, 16, wait)) << errno;
        return events_;
    }
    // The only event that comes; an empty one when there are others.
    struct kevent next_one() {
        EXPECT_EQ(1U, next().size());
        return events_.size() == 1 ? events_.front() : change_of(std::uintptr_t{0}, 0, 0);
    }
    // What is there now.
    std::size_t ready() { return next(milliseconds{0}).size(); }
    // Whether nothing comes although there has been time for it.
    bool silent() { return next(2 * slack).empty(); }

    descriptor kq_{::kqueue()};
    event_list events_;
};

}  // namespace ioring::kqueue_test
