// SPDX-License-Identifier: MIT
// agenda_test.cpp - what is planned happens once, and nothing else does.
#include "echo/agenda.hpp"

#include <gtest/gtest.h>

namespace echo {
namespace {

using namespace std::chrono_literals;
using item = agenda::item;

constexpr clock::time_point start{};

TEST(agenda_test, nothing_planned_needs_no_clock) {
    agenda plans;
    EXPECT_TRUE(plans.empty());
    EXPECT_FALSE(plans.take(item::end, start + 1h));
}

TEST(agenda_test, the_earliest_is_known_whatever_the_order) {
    agenda plans;
    plans.plan(item::end, start + 5s);
    plans.plan(item::statistics, start + 1s);
    plans.plan(item::cut_off, start + 3s);
    EXPECT_EQ(start + 1s, plans.earliest());
    EXPECT_FALSE(plans.take(item::statistics, start + 999ms));
    EXPECT_TRUE(plans.take(item::statistics, start + 1s));
    EXPECT_EQ(start + 3s, plans.earliest());
    plans.cancel(item::cut_off);
    EXPECT_EQ(start + 5s, plans.earliest());
}

TEST(agenda_test, what_was_taken_does_not_come_again) {
    agenda plans;
    plans.plan(item::end, start);
    EXPECT_TRUE(plans.take(item::end, start));
    EXPECT_FALSE(plans.take(item::end, start + 1h));
    EXPECT_TRUE(plans.empty());
}

TEST(agenda_test, to_plan_once_keeps_the_first_time) {
    agenda plans;
    plans.plan_once(item::accept_again, start + 1s);
    plans.plan_once(item::accept_again, start + 2s);
    EXPECT_EQ(start + 1s, plans.earliest());
}

}  // namespace
}  // namespace echo
