// SPDX-License-Identifier: MIT
// queue_budget_test.cpp - room for all sockets, growth, and where it ends.
#include <gtest/gtest.h>

#include "backend/rio/queue_budget.hpp"

namespace ioring::backends::rio {
namespace {

TEST(queue_budget, begins_with_a_size_of_its_own) {
    queue_budget budget;
    EXPECT_FALSE(budget.has_room(2));
    EXPECT_EQ(queue_budget::entries_min, budget.grown_for(2));
}

TEST(queue_budget, has_room_for_all_sockets_and_the_slack) {
    queue_budget budget;
    budget.resized(100);
    const std::uint32_t usable = 100 - queue_budget::slack;
    EXPECT_TRUE(budget.has_room(usable));
    EXPECT_FALSE(budget.has_room(usable + 1));
    budget.reserve(usable);
    EXPECT_FALSE(budget.has_room(1));
    budget.give_back(2);
    EXPECT_TRUE(budget.has_room(2));
    EXPECT_FALSE(budget.has_room(3));
}

TEST(queue_budget, grows_by_half_or_to_what_is_needed) {
    queue_budget budget;
    budget.resized(1000);
    EXPECT_EQ(1500u, budget.grown_for(2));
    EXPECT_EQ(5000u + queue_budget::slack, budget.grown_for(5000));
}

TEST(queue_budget, ends_where_the_system_s_queues_end) {
    queue_budget budget;
    budget.resized(queue_budget::entries_max - 1);
    EXPECT_EQ(queue_budget::entries_max, budget.grown_for(2));
    EXPECT_EQ(0u, budget.grown_for(queue_budget::entries_max));
    budget.resized(queue_budget::entries_max);
    EXPECT_EQ(0u, budget.grown_for(2)) << "the same size again would be growth for ever";
    EXPECT_EQ(0u, budget.grown_for(~std::uint32_t{0}));
}

}  // namespace
}  // namespace ioring::backends::rio
