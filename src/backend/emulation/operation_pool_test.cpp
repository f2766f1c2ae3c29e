// SPDX-License-Identifier: MIT
// operation_pool_test.cpp - operations are handed out once, as new, and found while in flight.
#include "backend/emulation/operation_pool.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

namespace ioring::backends::emulation {
namespace {

std::size_t found(const operation_pool& pool, std::uint64_t user_data) {
    std::size_t count = 0;
    for (operation* each = pool.bucket_of(user_data); each != nullptr;
         each = each->same_hash_next) {
        if (each->entry.user_data == user_data) ++count;
    }
    return count;
}

TEST(operation_pool_test, more_are_made_when_the_free_ones_are_used_up) {
    operation_pool pool;
    ASSERT_TRUE(pool.set_up(4));
    std::set<operation*> taken;
    for (int round = 0; round < 3; ++round) {
        while (operation* const each = pool.take()) ASSERT_TRUE(taken.insert(each).second);
        ASSERT_EQ(taken.size(), pool.made());
        ASSERT_TRUE(pool.add_some());
    }
    for (operation* const each : taken) pool.give_back(*each);
    EXPECT_NE(nullptr, pool.take());
}

TEST(operation_pool_test, one_given_back_is_as_new) {
    operation_pool pool;
    ASSERT_TRUE(pool.set_up(4));
    operation& used = *pool.take();
    used.bytes_done = 7;
    used.kept_buffer = 1;
    used.early_result = -1;
    used.timer = used.counted = used.holds_connect = used.linked = true;
    pool.give_back(used);
    const operation& again = *pool.take();
    ASSERT_EQ(&used, &again);
    EXPECT_EQ(0U, again.bytes_done);
    EXPECT_EQ(0U, again.kept_buffer);
    EXPECT_EQ(0, again.early_result);
    EXPECT_EQ(nullptr, again.follower);
    EXPECT_EQ(nullptr, again.next);
    EXPECT_FALSE(again.timer || again.counted || again.holds_connect || again.in_flight ||
                 again.linked);
}

TEST(operation_pool_test, those_in_flight_are_found_by_user_data_and_by_age) {
    operation_pool pool;
    ASSERT_TRUE(pool.set_up(16));  // Few buckets, so that they are shared.
    std::mt19937 random{3};
    std::vector<operation*> flying;  // Oldest first.
    for (int step = 0; step < 20'000; ++step) {
        if (flying.empty() || (random() % 2 == 0 && flying.size() < 200)) {
            operation* const op = pool.take();
            ASSERT_NE(nullptr, op);
            op->entry.user_data = random() % 50;
            pool.add(*op);
            flying.push_back(op);
        } else {
            const std::size_t index = random() % flying.size();
            pool.remove(*flying[index]);
            pool.give_back(*flying[index]);
            flying.erase(flying.begin() + static_cast<std::ptrdiff_t>(index));
        }
        ASSERT_EQ(flying.size(), pool.in_flight());
        const std::uint64_t asked = random() % 50;
        std::size_t expected = 0;
        for (const operation* each : flying) expected += each->entry.user_data == asked ? 1U : 0U;
        ASSERT_EQ(expected, found(pool, asked));
        const operation* each = pool.oldest();
        for (const operation* expected_op : flying) {
            ASSERT_EQ(expected_op, each);
            each = each->newer;
        }
        ASSERT_EQ(nullptr, each);
    }
}

}  // namespace
}  // namespace ioring::backends::emulation
