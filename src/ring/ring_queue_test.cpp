// SPDX-License-Identifier: MIT
// ring_queue_test.cpp - what the two queues promise, on every backend.
#include <cerrno>
#include <set>
#include <stdexcept>

#include "ring/ring_test_support.hpp"

namespace ioring::ring_tests {
namespace {

class ring_queue : public each_backend {};
INSTANTIATE_TEST_SUITE_P(backend, ring_queue, testing::ValuesIn(names_here()), backend_of);

std::vector<std::uint64_t> user_data_ready(ring& from) {
    std::array<cqe, 256> seen;
    const std::size_t count = from.peek_completions(seen);
    std::vector<std::uint64_t> all;
    for (std::size_t index = 0; index < count; ++index) all.push_back(seen[index].user_data);
    return all;
}

TEST_P(ring_queue, a_nop_completes_with_zero_and_its_user_data) {
    ring ours = make();
    ASSERT_NE(nullptr, ours.prepare_nop(42));
    EXPECT_EQ(1, ours.submit_and_wait(1));
    const cqe done = complete_one(ours);
    EXPECT_EQ(42U, done.user_data);
    EXPECT_EQ(0, done.res);
    EXPECT_FALSE(done.more());
    EXPECT_EQ(0U, ours.in_flight());
}

TEST_P(ring_queue, get_sqe_is_zeroed_whatever_the_entry_held_before) {
    ring ours = make({.sq_entries = 8, .connections_max = 1});
    for (int round = 0; round < 20; ++round) {
        sqe* const entry = ours.get_sqe();
        ASSERT_NE(nullptr, entry);
        EXPECT_EQ(opcode::nop, entry->op);
        EXPECT_EQ(0U, entry->user_data);
        EXPECT_EQ(0U, entry->addr);
        entry->user_data = 7;
        entry->flags = sqe_flag::async;
        EXPECT_EQ(0, complete_one(ours).res);
    }
}

// Design section 5: "queue full" in the middle of a batch loses the rest of it.
TEST_P(ring_queue, a_full_queue_is_a_nullptr_and_loses_nothing) {
    ring ours = make({.sq_entries = 8, .connections_max = 1});
    std::uint64_t prepared = 0;
    while (ours.prepare_nop(prepared + 1) != nullptr) ++prepared;
    EXPECT_GE(prepared, 4U);
    EXPECT_EQ(0U, ours.submission_queue_space());
    EXPECT_EQ(nullptr, ours.get_sqe());
    EXPECT_EQ(nullptr, ours.prepare_close(fd{0}, 99));
    EXPECT_EQ(static_cast<int>(prepared), ours.submit());
    EXPECT_EQ(prepared, ours.submission_queue_space());
    std::set<std::uint64_t> seen;
    for (const cqe& done : complete(ours, prepared)) seen.insert(done.user_data);
    EXPECT_EQ(prepared, seen.size());
    EXPECT_EQ(prepared, *seen.rbegin());
}

TEST_P(ring_queue, a_cancel_finds_room_when_the_queue_is_full) {
    ring ours = make({.sq_entries = 8, .connections_max = 1});
    std::size_t prepared = 0;
    while (ours.prepare_nop(1) != nullptr) ++prepared;
    ASSERT_NE(nullptr, ours.prepare_cancel(/*target=*/12345, 2));
    const std::vector<cqe> all = complete(ours, prepared + 1);
    EXPECT_EQ(2U, with_user_data(all, 2).user_data);
}

TEST_P(ring_queue, reserve_guarantees_room_and_submits_for_it) {
    ring ours = make({.sq_entries = 8, .connections_max = 1});
    const std::uint32_t size = ours.submission_queue_space();
    ASSERT_NE(nullptr, ours.prepare_nop(1));
    EXPECT_TRUE(ours.reserve(size - 1));
    EXPECT_EQ(0U, ours.counters().submitted);  // There was room: nothing was submitted for it.
    EXPECT_TRUE(ours.reserve(size));
    EXPECT_EQ(size, ours.submission_queue_space());
    EXPECT_FALSE(ours.reserve(size + 1));
    EXPECT_EQ(1U, complete_one(ours).user_data);
}

TEST_P(ring_queue, an_entry_is_consumed_as_the_loop_leaves_it) {
    ring ours = make();
    for (std::uint64_t tag = 1; tag <= 5; ++tag) ASSERT_NE(nullptr, ours.prepare_nop(tag));
    ASSERT_EQ(5, ours.submit_and_wait(5));
    EXPECT_EQ(5U, ours.completion_queue_count());
    for (const cqe& done : ours.completions()) {
        if (done.user_data == 2) break;
    }
    EXPECT_EQ((std::vector<std::uint64_t>{3, 4, 5}), user_data_ready(ours));
#if defined(__cpp_exceptions)
    try {
        for (const cqe& done : ours.completions()) {
            if (done.user_data == 3) throw std::runtime_error{"handler"};
        }
    } catch (const std::runtime_error&) {
    }
    EXPECT_EQ((std::vector<std::uint64_t>{4, 5}), user_data_ready(ours));
#else
    ours.advance_completion_queue(1);
#endif
    EXPECT_FALSE(ours.completions().empty());  // Looking is not visiting.
    for (const cqe& done : ours.completions()) EXPECT_LE(4U, done.user_data);
    EXPECT_EQ(0U, ours.completion_queue_count());
    EXPECT_EQ(5U, ours.counters().completed);
}

TEST_P(ring_queue, peek_copies_and_advance_consumes) {
    ring ours = make();
    for (std::uint64_t tag = 1; tag <= 4; ++tag) ASSERT_NE(nullptr, ours.prepare_nop(tag));
    ASSERT_EQ(4, ours.submit_and_wait(4));
    std::array<cqe, 3> small{};
    EXPECT_EQ(3U, ours.peek_completions(small));
    EXPECT_EQ(3U, ours.peek_completions(small));
    EXPECT_EQ(1U, small[0].user_data);
    ours.advance_completion_queue(3);
    EXPECT_EQ(1U, ours.peek_completions(small));
    EXPECT_EQ(4U, small[0].user_data);
    ours.advance_completion_queue(100);  // Cut to what is there.
    EXPECT_EQ(0U, ours.peek_completions(small));
    EXPECT_EQ(0U, ours.peek_completions({}));
}

TEST_P(ring_queue, wait_completions_submits_waits_and_copies) {
    ring ours = make();
    ASSERT_NE(nullptr, ours.prepare_nop(8));
    ASSERT_NE(nullptr, ours.prepare_nop(9));
    std::array<cqe, 8> seen{};
    EXPECT_EQ(2, ours.wait_completions(seen, 2, patience));
    EXPECT_EQ(8U, seen[0].user_data);
    EXPECT_EQ(9U, seen[1].user_data);
    ours.advance_completion_queue(2);
    int copied = 0;
    do {
        copied = ours.wait_completions(seen, 1, 1ms);
    } while (copied == -EINTR);  // As in wait_on().
    EXPECT_EQ(0, copied);
}

TEST_P(ring_queue, submitting_inside_the_loop_is_allowed) {
    ring ours = make();
    ASSERT_NE(nullptr, ours.prepare_nop(1));
    int seen = 0;
    while (seen < 100) {
        ASSERT_GE(wait_on(ours, 1, patience), 0);
        for (const cqe& done : ours.completions()) {
            EXPECT_EQ(static_cast<std::uint64_t>(++seen), done.user_data);
            ASSERT_NE(nullptr, ours.prepare_nop(done.user_data + 1));
            ASSERT_EQ(1, ours.submit());
        }
    }
}

// Design section 5: CQ overflow never drained.
TEST_P(ring_queue, completions_beyond_the_queue_all_arrive_in_the_end) {
    constexpr std::uint64_t total = 1000;
    ring ours = make({.sq_entries = 8, .cq_entries = 8, .connections_max = 1});
    std::uint64_t prepared = 0;
    std::set<std::uint64_t> seen;
    // Nothing is read before the backend refuses to take more, so that the queue of 8 must
    // overflow.
    while (prepared < total && ours.in_flight() < 200) {
        while (prepared < total && ours.prepare_nop(prepared + 1) != nullptr) ++prepared;
        if (ours.submit() < 0) break;
    }
    const auto end = std::chrono::steady_clock::now() + patience;
    while (seen.size() < total && std::chrono::steady_clock::now() < end) {
        std::array<cqe, 5> some;
        const std::size_t count = ours.peek_completions(some);
        for (std::size_t index = 0; index < count; ++index) seen.insert(some[index].user_data);
        ours.advance_completion_queue(count);
        if (count > 0) continue;
        while (prepared < total && ours.prepare_nop(prepared + 1) != nullptr) ++prepared;
        const int taken = ours.submit();
        ASSERT_TRUE(taken >= 0 || taken == -EBUSY || taken == -EAGAIN) << taken;
    }
    EXPECT_EQ(total, seen.size());
    EXPECT_EQ(0U, ours.in_flight());
    EXPECT_GT(ours.counters().overflows, 0U);
}

TEST_P(ring_queue, a_bad_entry_is_its_own_error_and_not_its_neighbours) {
    ring ours = make();
    ASSERT_NE(nullptr, ours.prepare_nop(1));
    sqe* const bad = ours.get_sqe();
    ASSERT_NE(nullptr, bad);
    bad->op = static_cast<opcode>(250);
    bad->user_data = 2;
    ASSERT_NE(nullptr, ours.prepare_nop(3));
    const std::vector<cqe> all = complete(ours, 3);
    EXPECT_EQ(0, with_user_data(all, 1).res);
    EXPECT_EQ(-EINVAL, with_user_data(all, 2).res);
    EXPECT_EQ(std::errc::invalid_argument, error_of(with_user_data(all, 2)));
    EXPECT_EQ(0, with_user_data(all, 3).res);
}

TEST_P(ring_queue, nothing_to_do_is_no_system_call) {
    ring ours = make();
    ASSERT_NE(nullptr, ours.prepare_nop(1));
    ASSERT_EQ(1, ours.submit_and_wait(1));
    const std::uint64_t before = ours.counters().enters;
    EXPECT_EQ(0, ours.submit());
    EXPECT_EQ(0, ours.submit_and_wait(1));  // One is there already.
    EXPECT_EQ(before, ours.counters().enters);
}

TEST_P(ring_queue, a_batch_is_one_enter) {
    ring ours = make();
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t before = ours.counters().enters;
        for (std::uint64_t tag = 0; tag < 32; ++tag) ASSERT_NE(nullptr, ours.prepare_nop(tag));
        ASSERT_EQ(32, ours.submit_and_wait(32));
        ours.advance_completion_queue(32);
        EXPECT_EQ(before + 1, ours.counters().enters);
    }
}

TEST_P(ring_queue, says_which_backend_it_is_and_why) {
    ring ours = make();
    EXPECT_EQ(GetParam(), ours.backend_info().name);
    EXPECT_STRNE("", ours.backend_info().reason);
    EXPECT_STRNE("", ours.backend_info().description);
    EXPECT_STRNE("", ours.backend_info().registration);
    EXPECT_TRUE(ours.probe().supports(opcode::nop));
    EXPECT_TRUE(ours.probe().supports(opcode::recv));
    EXPECT_FALSE(ours.probe().supports(static_cast<opcode>(250)));
}

TEST_P(ring_queue, a_moved_ring_goes_on_and_leaves_none_behind) {
    ring first = make();
    ASSERT_NE(nullptr, first.prepare_nop(5));
    ring second = std::move(first);
    EXPECT_FALSE(first.valid());  // NOLINT(bugprone-use-after-move): that is the promise.
    EXPECT_EQ(nullptr, first.prepare_nop(6));
    EXPECT_EQ(5U, complete_one(second).user_data);
    second = make();
    ASSERT_NE(nullptr, second.prepare_nop(7));
    EXPECT_EQ(7U, complete_one(second).user_data);
}

}  // namespace
}  // namespace ioring::ring_tests
