// SPDX-License-Identifier: MIT
// clock_test.cpp - time goes forward and deadlines do not overflow.
#include "platform/clock.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace ioring::platform {
namespace {

using namespace std::chrono_literals;
constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

TEST(clock, never_goes_back) {
    std::uint64_t last = monotonic_ns();
    for (int round = 0; round < 10'000; ++round) {
        const std::uint64_t now = monotonic_ns();
        ASSERT_LE(last, now);
        last = now;
    }
}

TEST(clock, is_the_systems_steady_clock) {
    const auto before = std::chrono::steady_clock::now().time_since_epoch();
    const std::uint64_t now = monotonic_ns();
    const auto after = std::chrono::steady_clock::now().time_since_epoch();
    EXPECT_LE(static_cast<std::uint64_t>(std::chrono::nanoseconds{before}.count()), now);
    EXPECT_GE(static_cast<std::uint64_t>(std::chrono::nanoseconds{after}.count()), now);
}

TEST(clock, a_deadline_lies_in_the_future_and_never_in_the_past) {
    const std::uint64_t now = monotonic_ns();
    EXPECT_LE(now + 1'000'000'000U, deadline_ns(1s));
    EXPECT_LE(now, deadline_ns(-1s));
    const std::uint64_t at_once = deadline_ns(0s);
    EXPECT_GE(monotonic_ns(), at_once);
    EXPECT_LT(now, deadline_ns(std::chrono::nanoseconds::max()));
    EXPECT_LE(now, deadline_ns(std::chrono::nanoseconds::min()));
}

TEST(clock, time_left_ends_at_zero_and_fits) {
    EXPECT_EQ(0ns, time_left(0));
    EXPECT_EQ(0ns, time_left(monotonic_ns()));
    EXPECT_LT(59min, time_left(deadline_ns(1h)));
    EXPECT_GE(1h, time_left(deadline_ns(1h)));
    EXPECT_EQ(std::chrono::nanoseconds::max(), time_left(never));
}

TEST(clock, a_poll_is_rounded_up_and_cut_to_what_poll_takes) {
    EXPECT_EQ(0, poll_timeout_ms(0));
    EXPECT_EQ(std::numeric_limits<int>::max(), poll_timeout_ms(never));
    EXPECT_EQ(1, poll_timeout_ms(deadline_ns(900us)));  // Not 0: that would spin.
    const int hour_ms = poll_timeout_ms(deadline_ns(1h));
    EXPECT_LT(3'590'000, hour_ms);
    EXPECT_GE(3'600'000, hour_ms);
}

}  // namespace
}  // namespace ioring::platform
