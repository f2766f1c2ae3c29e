// SPDX-License-Identifier: MIT
// timers_test.cpp - the heap of timers against a sorted list, over random operations.
#include "backend/emulation/timers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

namespace ioring::backends::emulation {
namespace {

TEST(timers_test, nothing_is_due_when_there_is_none) {
    timers under_test;
    EXPECT_EQ(never_ns, under_test.earliest_ns());
    EXPECT_EQ(nullptr, under_test.take_due(never_ns - 1));
}

TEST(timers_test, a_timer_is_due_at_its_moment_and_not_before) {
    timers under_test;
    operation timer;
    timer.deadline_ns = 100;
    ASSERT_TRUE(under_test.add(timer));
    EXPECT_EQ(100U, under_test.earliest_ns());
    EXPECT_EQ(nullptr, under_test.take_due(99));
    EXPECT_EQ(&timer, under_test.take_due(100));
    EXPECT_EQ(not_in_heap, timer.heap_index);
    EXPECT_EQ(0U, under_test.count());
}

TEST(timers_test, behaves_as_a_sorted_list_over_random_operations) {
    std::mt19937 random{7};
    timers under_test;
    std::vector<std::unique_ptr<operation>> running;
    std::uint64_t now = 0;
    for (int step = 0; step < 50'000; ++step) {
        const auto pick = [&] { return random() % running.size(); };
        switch (running.empty() ? 0 : random() % 4) {
            case 0:
                running.push_back(std::make_unique<operation>());
                running.back()->deadline_ns = now + random() % 1000;
                ASSERT_TRUE(under_test.add(*running.back()));
                break;
            case 1: {
                const std::size_t index = pick();
                under_test.remove(*running[index]);
                ASSERT_EQ(not_in_heap, running[index]->heap_index);
                running.erase(running.begin() + static_cast<std::ptrdiff_t>(index));
                break;
            }
            case 2: under_test.move(*running[pick()], now + random() % 1000); break;
            default: {
                now += random() % 50;
                std::uint64_t before = 0;
                while (operation* const due = under_test.take_due(now)) {
                    ASSERT_LE(due->deadline_ns, now);
                    ASSERT_LE(before, due->deadline_ns);
                    before = due->deadline_ns;
                    std::erase_if(running, [due](const auto& each) { return each.get() == due; });
                }
            }
        }
        std::uint64_t earliest = never_ns;
        for (const auto& each : running) earliest = std::min(earliest, each->deadline_ns);
        ASSERT_EQ(running.size(), under_test.count());
        ASSERT_EQ(earliest, under_test.earliest_ns()) << "step " << step;
    }
}

}  // namespace
}  // namespace ioring::backends::emulation
