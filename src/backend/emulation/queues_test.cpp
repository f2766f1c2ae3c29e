// SPDX-License-Identifier: MIT
// queues_test.cpp - completions keep their order and none is lost, however the room behind grows.
#include "backend/emulation/queues.hpp"

#include <gtest/gtest.h>

#include <random>

namespace ioring::backends::emulation {
namespace {

// The program's end: what it can read, oldest first.
std::vector<std::uint64_t> read_all(const ring_view& view) {
    std::vector<std::uint64_t> all;
    std::uint32_t head = view.cq_head->load();
    for (; head != view.cq_tail->load(); ++head) {
        all.push_back(view.cqes[head & (view.cq_entries - 1)].user_data);
    }
    view.cq_head->store(head);
    return all;
}

bool flagged(const ring_view& view, std::uint32_t flag) {
    return (view.sq_flags->load() & flag) != 0;
}

TEST(queues_test, a_completion_that_finds_no_room_waits_behind_and_is_flagged) {
    queues under_test;
    ASSERT_FALSE(under_test.set_up({.sq_entries = 8, .cq_entries = 8}));
    const ring_view view = under_test.view();
    for (std::uint64_t tag = 0; tag < 8; ++tag) under_test.post({.user_data = tag});
    EXPECT_TRUE(under_test.full());
    EXPECT_FALSE(flagged(view, sq_flag::cq_overflow));
    under_test.post({.user_data = 8});
    EXPECT_TRUE(flagged(view, sq_flag::cq_overflow));
    EXPECT_EQ(1U, under_test.overflow_count());

    EXPECT_EQ((std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7}), read_all(view));
    // Behind the one that waits, although there is room now.
    under_test.post({.user_data = 9});
    EXPECT_EQ(std::vector<std::uint64_t>{}, read_all(view));
    under_test.flush_overflow();
    EXPECT_FALSE(flagged(view, sq_flag::cq_overflow));
    EXPECT_EQ((std::vector<std::uint64_t>{8, 9}), read_all(view));
}

TEST(queues_test, order_survives_growth_while_completions_wait) {
    std::mt19937 random{20'261'126};
    for (int round = 0; round < 200; ++round) {
        queues under_test;
        ASSERT_FALSE(under_test.set_up({.sq_entries = 64, .cq_entries = 8}));
        const ring_view view = under_test.view();
        std::uint64_t posted = 0;
        std::uint64_t read = 0;
        std::uint32_t room = 64;
        for (int step = 0; step < 300; ++step) {
            if (random() % 16 == 0 && room < 4096) {
                room *= 2;
                ASSERT_TRUE(under_test.reserve(room));
            }
            if (under_test.overflow_count() < room - 1 && random() % 3 != 0) {
                under_test.post({.user_data = posted++});
                continue;
            }
            under_test.flush_overflow();
            for (const std::uint64_t tag : read_all(view)) ASSERT_EQ(read++, tag);
        }
        while (read < posted) {
            for (const std::uint64_t tag : read_all(view)) ASSERT_EQ(read++, tag);
            under_test.flush_overflow();
        }
    }
}

TEST(queues_test, entries_are_read_in_order_across_the_seam) {
    queues under_test;
    ASSERT_FALSE(under_test.set_up({.sq_entries = 8, .cq_entries = 8}));
    const ring_view view = under_test.view();
    std::uint32_t tail = 0;
    for (std::uint64_t round = 0; round < 10; ++round) {
        for (std::uint64_t index = 0; index < 5; ++index) {
            view.sqes[tail++ & 7U].user_data = round * 5 + index;
        }
        view.sq_tail->store(tail);
        ASSERT_EQ(5U, under_test.waiting());
        for (std::uint32_t index = 0; index < 5; ++index) {
            EXPECT_EQ(round * 5 + index, under_test.entry(index).user_data);
        }
        under_test.consume(5);
        EXPECT_EQ(tail, view.sq_head->load());
    }
}

TEST(queues_test, the_taskrun_flag_leaves_the_overflow_flag_alone) {
    queues under_test;
    ASSERT_FALSE(under_test.set_up({.sq_entries = 8, .cq_entries = 8}));
    const ring_view view = under_test.view();
    for (std::uint64_t tag = 0; tag < 9; ++tag) under_test.post({.user_data = tag});
    under_test.set_taskrun(true);
    EXPECT_TRUE(flagged(view, sq_flag::taskrun));
    under_test.set_taskrun(false);
    EXPECT_FALSE(flagged(view, sq_flag::taskrun));
    EXPECT_TRUE(flagged(view, sq_flag::cq_overflow));
}

}  // namespace
}  // namespace ioring::backends::emulation
