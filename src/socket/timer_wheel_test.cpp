// SPDX-License-Identifier: MIT
// timer_wheel_test.cpp - the wheel against a sorted list, with random operations.
#include "socket/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace ioring::detail {
namespace {

std::vector<std::uint64_t> fired_by(timer_wheel& wheel, std::uint64_t now) {
    std::vector<std::uint64_t> fired;
    wheel.advance(now, [&](std::uint64_t payload) { fired.push_back(payload); });
    return fired;
}

TEST(timer_wheel, fires_at_its_tick_and_not_before) {
    for (const std::uint64_t tick : {1u, 63u, 64u, 65u, 4095u, 4096u, 300'000u}) {
        timer_wheel wheel;
        ASSERT_TRUE(wheel.arm(tick, 7).valid());
        EXPECT_TRUE(fired_by(wheel, tick - 1).empty()) << tick;
        EXPECT_EQ(std::vector<std::uint64_t>{7}, fired_by(wheel, tick)) << tick;
        EXPECT_EQ(0u, wheel.armed());
    }
}

TEST(timer_wheel, one_that_has_passed_fires_in_the_next_tick) {
    timer_wheel wheel;
    wheel.advance(1000, [](std::uint64_t) {});
    ASSERT_TRUE(wheel.arm(10, 1).valid());
    EXPECT_TRUE(fired_by(wheel, 1000).empty());
    EXPECT_EQ(1u, fired_by(wheel, 1001).size());
}

TEST(timer_wheel, cancelled_or_fired_a_key_is_stale_for_ever) {
    timer_wheel wheel;
    const timer_key first = wheel.arm(5, 1);
    EXPECT_TRUE(wheel.cancel(first));
    EXPECT_FALSE(wheel.cancel(first));
    const timer_key second = wheel.arm(5, 2);  // The same slot.
    EXPECT_EQ(first.slot, second.slot);
    EXPECT_FALSE(wheel.cancel(first));
    EXPECT_FALSE(wheel.move(first, 9));
    EXPECT_EQ(1u, fired_by(wheel, 5).size());
    EXPECT_FALSE(wheel.cancel(second));
    EXPECT_FALSE(wheel.cancel({}));
}

TEST(timer_wheel, says_when_to_look_next_and_never_too_late) {
    timer_wheel wheel;
    EXPECT_EQ(timer_wheel::never, wheel.next_tick());
    const timer_key far = wheel.arm(100'000, 1);
    int looks = 0;
    std::uint64_t now = 0;
    while (wheel.armed() != 0) {
        ASSERT_LE(wheel.next_tick(), 100'000u);
        now = wheel.next_tick();
        wheel.advance(now, [](std::uint64_t) {});
        ++looks;
    }
    EXPECT_EQ(100'000u, now);
    EXPECT_LE(looks, 7);  // Once a level.
    EXPECT_FALSE(wheel.cancel(far));
}

TEST(timer_wheel, beyond_all_time_is_the_end_of_time) {
    timer_wheel wheel;
    ASSERT_TRUE(wheel.arm(timer_wheel::never, 1).valid());
    EXPECT_TRUE(fired_by(wheel, timer_wheel::tick_max - 1).empty());
    EXPECT_EQ(1u, fired_by(wheel, timer_wheel::never).size());
}

TEST(timer_wheel, one_armed_for_later_waits_to_be_placed_and_may_be_cancelled_before) {
    timer_wheel wheel;
    const timer_key first = wheel.arm_later(10, 1);
    const timer_key oldest_gone = wheel.arm_later(5, 2);
    const timer_key moved = wheel.arm_later(7, 3);
    const timer_key last = wheel.arm_later(10, 4);
    EXPECT_EQ(timer_wheel::never, wheel.next_tick());
    EXPECT_TRUE(fired_by(wheel, 50).empty());
    EXPECT_TRUE(wheel.cancel(oldest_gone));
    EXPECT_FALSE(wheel.cancel(oldest_gone));
    EXPECT_TRUE(wheel.move(moved, 55));
    std::vector<std::uint64_t> asked;
    wheel.place([&](std::uint64_t delay) {
        asked.push_back(delay);
        return 50 + delay;
    });
    EXPECT_EQ((std::vector<std::uint64_t>{10, 10}), asked);
    EXPECT_EQ(3U, wheel.armed());
    EXPECT_EQ((std::vector<std::uint64_t>{3}), fired_by(wheel, 59));
    EXPECT_EQ((std::vector<std::uint64_t>{1, 4}), fired_by(wheel, 60));
    EXPECT_FALSE(wheel.cancel(first));
    EXPECT_FALSE(wheel.cancel(last));
    // The oldest, the newest and the only one of those that wait can go.
    const timer_key only = wheel.arm_later(1, 5);
    EXPECT_TRUE(wheel.cancel(only));
    const timer_key oldest = wheel.arm_later(2, 6);
    const timer_key newest = wheel.arm_later(3, 7);
    EXPECT_TRUE(wheel.cancel(oldest));
    EXPECT_TRUE(wheel.cancel(newest));
    asked.clear();
    wheel.place([&](std::uint64_t delay) { return asked.emplace_back(delay); });
    EXPECT_TRUE(asked.empty());
    EXPECT_EQ(0U, wheel.armed());
}

TEST(timer_wheel, what_fires_may_arm_and_cancel_others_of_the_same_tick) {
    timer_wheel wheel;
    std::vector<timer_key> keys;
    for (std::uint64_t i = 0; i < 10; ++i) keys.push_back(wheel.arm(50, i));
    int fired = 0;
    wheel.advance(50, [&](std::uint64_t) {
        if (fired++ != 0) return;
        for (const timer_key key : keys) wheel.cancel(key);
        (void)wheel.arm(50, 99);
    });
    EXPECT_EQ(1, fired);
    EXPECT_EQ(std::vector<std::uint64_t>{99}, fired_by(wheel, 51));
}

std::uint64_t seed_of_run() {
    const char* const text = std::getenv("IORING_TEST_SEED");
    return text != nullptr ? std::strtoull(text, nullptr, 10) : 20'261;
}

// All timers by tick, each payload once.
class model {
public:
    void arm(std::uint64_t tick, std::uint64_t payload) { by_payload_[payload] = tick; }
    bool cancel(std::uint64_t payload) { return by_payload_.erase(payload) == 1; }
    std::vector<std::uint64_t> advance(std::uint64_t now) {
        std::vector<std::uint64_t> due;
        for (const auto& [payload, tick] : by_payload_) {
            if (tick <= now) due.push_back(payload);
        }
        for (const std::uint64_t payload : due) by_payload_.erase(payload);
        return due;
    }
    [[nodiscard]] std::size_t size() const { return by_payload_.size(); }

private:
    std::map<std::uint64_t, std::uint64_t> by_payload_;
};

TEST(timer_wheel, is_a_sorted_list_to_random_operations) {
    const std::uint64_t seed = seed_of_run();
    SCOPED_TRACE("IORING_TEST_SEED=" + std::to_string(seed));
    std::mt19937_64 random{seed};
    timer_wheel wheel;
    model expected;
    std::map<std::uint64_t, timer_key> keys;
    std::uint64_t now = 0;
    for (std::uint64_t round = 0; round < 60'000; ++round) {
        const std::uint64_t reach = std::uint64_t{1} << (random() % 24);
        const std::uint64_t tick = now + 1 + random() % reach;
        const std::uint64_t some = random() % (round + 1);
        switch (random() % 5) {
            case 0:
            case 1:
                keys[round] = wheel.arm(tick, round);
                expected.arm(tick, round);
                break;
            case 2:
                ASSERT_EQ(expected.cancel(some), keys.contains(some) && wheel.cancel(keys[some]));
                break;
            case 3:
                if (!keys.contains(some) || !wheel.move(keys[some], tick)) break;
                expected.arm(tick, some);
                break;
            default: {
                now += random() % (std::uint64_t{1} << (random() % 14));
                std::vector<std::uint64_t> fired = fired_by(wheel, now);
                std::sort(fired.begin(), fired.end());
                ASSERT_EQ(expected.advance(now), fired) << "round " << round;
            }
        }
        ASSERT_EQ(expected.size(), wheel.armed());
        ASSERT_TRUE(wheel.armed() == 0 || wheel.next_tick() > now);
    }
}

}  // namespace
}  // namespace ioring::detail
