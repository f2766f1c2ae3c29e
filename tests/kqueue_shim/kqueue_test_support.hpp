// SPDX-License-Identifier: MIT
// kqueue_test_support.hpp - a kqueue under test, by plain libc calls.
//
// These tests know nothing of the shim: they say what every kqueue does, and run unchanged on a
// system that has one, or with another implementation preloaded.
#pragma once

#include <gtest/gtest.h>
#include <sys/event.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <vector>

#include "support/plain_sockets.hpp"

namespace ioring::kqueue_test {

using namespace test_support;
using std::chrono::milliseconds;

inline constexpr milliseconds patience{10'000};
// A timer or a wait may be late or early by this much: some kernels count in ticks.
inline constexpr milliseconds slack{20};

// Sends one byte as out-of-band data.
inline void send_urgent(const descriptor_owner& to) {
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

inline struct kevent change_of(const descriptor_owner& of, int filter, int flags,
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

    descriptor_owner kq_{::kqueue()};
    event_list events_;
};

}  // namespace ioring::kqueue_test
