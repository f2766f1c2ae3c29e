// SPDX-License-Identifier: MIT
// queue_test.cpp - both queues at their limits: full, reserved, overflowing, wrapped around.
#include "entries.hpp"

namespace ioring::conformance {
namespace {

class queue_test : public backend_test {
    [[nodiscard]] ring_options options() const override {
        return {.sq_entries = 16, .cq_entries = 16, .connections_max = 8};
    }

protected:
    // Submits up to `count` nops, until completions must be read first (D21). How many it took.
    std::uint64_t submit_nops(std::uint64_t count) {
        std::uint64_t submitted = 0;
        for (std::uint64_t each = 0; each < count; ++each) {
            if (ring_.prepare_nop(each) == nullptr) break;
            const int taken = ring_.submit();
            EXPECT_TRUE(taken == 1 || taken == -EBUSY) << taken;
            if (taken < 0) return each + 1;  // The last one is taken when there is room.
            ++submitted;
        }
        return submitted;
    }

    std::array<std::byte, 16> buffer_{};
};
INSTANTIATE_TEST_SUITE_P(backend, queue_test, every_prompt_backend(), backend_name);

TEST_P(queue_test, full_of_submissions_is_a_nullptr_and_loses_nothing) {
    std::uint64_t prepared = 0;
    while (ring_.prepare_nop(prepared) != nullptr) ++prepared;
    EXPECT_LT(0U, prepared);
    EXPECT_EQ(0U, ring_.submission_queue_space());
    EXPECT_EQ(nullptr, ring_.get_sqe());
    EXPECT_EQ(nullptr, ring_.prepare_recv(fd{-1}, buffer_, 99));
    EXPECT_EQ(static_cast<int>(prepared), ring_.submit());
    const auto all = complete(prepared);
    for (std::uint64_t each = 0; each < prepared; ++each) EXPECT_EQ(0, result_of(all, each));
    expect_nothing();
}

TEST_P(queue_test, a_cancel_finds_room_when_it_is_full) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_recv(ours.fd(), buffer_, 1);
    ASSERT_EQ(1, ring_.submit());
    std::size_t nops = 0;
    while (ring_.prepare_nop(100 + nops) != nullptr) ++nops;
    ASSERT_NE(nullptr, ring_.prepare_cancel(1, 2));
    const auto all = complete(nops + 2);
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_EQ(0, result_of(all, 2));
}

TEST_P(queue_test, reserve_submits_what_is_in_the_way_and_no_more_than_the_size_can_be_had) {
    const std::uint32_t size = ring_.submission_queue_space();
    while (ring_.submission_queue_space() > 0) ring_.prepare_nop(1);
    EXPECT_TRUE(ring_.reserve(size));
    EXPECT_EQ(size, ring_.submission_queue_space());
    EXPECT_FALSE(ring_.reserve(size + 1));
    EXPECT_EQ(size, complete(size).size());
}

TEST_P(queue_test, completions_beyond_its_size_all_arrive_in_order) {
    const std::uint64_t count = submit_nops(100);
    EXPECT_LT(16U, count);
    std::uint64_t expected = 0;
    for (const cqe& done : complete(count)) EXPECT_EQ(expected++, done.user_data);
    expect_nothing();
}

TEST_P(queue_test, overflow_is_counted_and_what_waits_outside_is_fetched_by_peeking) {
    const std::uint64_t count = submit_nops(40);
    std::uint64_t expected = 0;
    std::array<cqe, 8> some;
    for (std::size_t here = 0; (here = ring_.peek_completions(some)) > 0;) {
        for (const cqe& done : std::span{some}.first(here)) {
            EXPECT_EQ(expected++, done.user_data);
        }
        ring_.advance_completion_queue(here);
    }
    EXPECT_LT(16U, expected);
    EXPECT_LT(0U, ring_.counters().overflows);
    for (const cqe& done : complete(count - expected)) EXPECT_EQ(expected++, done.user_data);
}

TEST_P(queue_test, what_completes_while_it_is_full_is_not_lost) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_recv(ours.fd(), buffer_, 1);
    ASSERT_EQ(1, ring_.submit());
    for (std::uint64_t each = 100; each < 116; ++each) prep_nop(next_sqe(), each);
    ASSERT_LE(0, wait_through(ring_, 16, patience));
    EXPECT_EQ(16U, ring_.completion_queue_count());
    ASSERT_TRUE(send_all(theirs, "x"));
    for (int round = 0; round < 3; ++round) ASSERT_LE(0, wait_through(ring_, 16, 1ms));
    const auto all = complete(17);
    EXPECT_EQ(1, result_of(all, 1));
}

TEST_P(queue_test, both_completions_of_a_cancel_survive_a_full_queue) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_recv(ours.fd(), buffer_, 1);
    ASSERT_EQ(1, ring_.submit());
    for (std::uint64_t each = 100; each < 116; ++each) prep_nop(next_sqe(), each);
    ASSERT_LE(0, wait_through(ring_, 16, patience));
    ring_.prepare_cancel(1, 2);
    const auto all = complete(18);
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_EQ(0, result_of(all, 2));
}

TEST_P(queue_test, entries_not_visited_stay) {
    for (std::uint64_t each = 0; each < 5; ++each) prep_nop(next_sqe(), each);
    ASSERT_LE(0, wait_through(ring_, 5, patience));
    std::uint64_t expected = 0;
    for (const cqe& done : ring_.completions()) {
        EXPECT_EQ(expected++, done.user_data);
        if (expected == 2) break;
    }
    EXPECT_EQ(3U, ring_.completion_queue_count());
    for (const cqe& done : ring_.completions()) EXPECT_EQ(expected++, done.user_data);
    EXPECT_EQ(5U, expected);
}

TEST_P(queue_test, indices_wrap_without_a_loss) {
    for (std::uint64_t round = 0; round < 2000; ++round) {
        for (std::uint64_t each = 0; each < 7; ++each) prep_nop(next_sqe(), 7 * round + each);
        std::uint64_t expected = 7 * round;
        ASSERT_EQ(7, wait_through(ring_, 7, patience));
        for (const cqe& done : ring_.completions()) ASSERT_EQ(expected++, done.user_data);
        ASSERT_EQ(7 * round + 7, expected);
    }
}

}  // namespace
}  // namespace ioring::conformance
