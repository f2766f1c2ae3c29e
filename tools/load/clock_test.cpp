// SPDX-License-Identifier: MIT
// clock_test.cpp - the open loop's schedule.
#include "clock.hpp"

#include <gtest/gtest.h>

namespace load {
namespace {

TEST(schedule, messages_are_evenly_spaced) {
    const schedule plan{/*rate_per_second=*/4, /*start_ns=*/1'000};
    EXPECT_EQ(1'000, plan.time_of(0));
    EXPECT_EQ(250'001'000, plan.time_of(1));
    EXPECT_EQ(1'000'001'000, plan.time_of(4));
}

TEST(schedule, rounding_does_not_add_up) {
    // A third of a nanosecond is lost a message when periods are added as whole numbers.
    const schedule plan{/*rate_per_second=*/3'000'000, /*start_ns=*/5};
    EXPECT_EQ(5 + 3'600'000'000'000, plan.time_of(3'000'000ULL * 3'600));
    for (std::uint64_t k = 1; k < 100'000; ++k) {
        const std::int64_t step = plan.time_of(k) - plan.time_of(k - 1);
        ASSERT_TRUE(step == 333 || step == 334) << k;
    }
}

TEST(schedule, rates_below_one_a_second_work) {
    const schedule plan{/*rate_per_second=*/0.1, /*start_ns=*/0};
    EXPECT_EQ(10'000'000'000, plan.time_of(1));
}

}  // namespace
}  // namespace load
