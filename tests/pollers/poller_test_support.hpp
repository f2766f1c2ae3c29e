// SPDX-License-Identifier: MIT
// poller_test_support.hpp - a poller under test.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.hpp"
#include "backend/readiness/poller.hpp"
#include "support/plain_sockets.hpp"

namespace ioring::backends::readiness {

using namespace test_support;

inline constexpr std::int64_t millisecond_ns = 1'000'000;
inline constexpr std::int64_t patience_ns = 10'000 * millisecond_ns;
// What does not come within this time does not come.
inline constexpr std::int64_t silence_ns = 30 * millisecond_ns;

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
