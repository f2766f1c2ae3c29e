// SPDX-License-Identifier: MIT
// held_test.cpp - which completions may overtake which.
#include "backend/fault/held.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace ioring::backends::fault {
namespace {

class held_test : public ::testing::Test {
protected:
    held_completion& hold(std::uint64_t user_data, std::uint64_t due_turn,
                          std::uint32_t flags = 0) {
        last_ = {};
        last_.entry = {.user_data = user_data, .res = 1, .flags = flags};
        last_.due_turn = due_turn;
        return last_;
    }
    // What the program sees at `turn`, by user_data.
    std::vector<std::uint64_t> seen(std::uint64_t turn) {
        (void)queue_.release(queues_, turn);
        std::vector<std::uint64_t> all;
        const ring_view view = queues_.view();
        for (std::uint32_t left = queues_.ready(); left > 0; --left) {
            const std::uint32_t head = view.cq_head->load();
            all.push_back(view.cqes[head & (view.cq_entries - 1)].user_data);
            view.cq_head->store(head + 1);
        }
        return all;
    }
    using list = std::vector<std::uint64_t>;

    own_queues queues_{backend_options{.sq_entries = 8, .cq_entries = 8}};
    held_queue queue_;
    held_completion last_;
};

TEST_F(held_test, independent_completions_come_when_they_are_due) {
    queue_.push(hold(1, 3));
    queue_.push(hold(2, 1));
    queue_.push(hold(3, 2));
    EXPECT_EQ((list{2}), seen(1));
    EXPECT_EQ((list{3}), seen(2));
    EXPECT_EQ((list{1}), seen(3));
    EXPECT_EQ(0U, queue_.size());
}

TEST_F(held_test, one_operation_keeps_its_order) {
    queue_.push(hold(1, 3, cqe_flag::more));
    queue_.push(hold(2, 1));
    queue_.push(hold(1, 1));
    EXPECT_EQ((list{2}), seen(2));
    EXPECT_EQ((list{1, 1}), seen(3));
}

TEST_F(held_test, a_chain_keeps_its_order) {
    hold(1, 3).chain = 9;
    queue_.push(last_);
    hold(2, 1).chain = 9;
    queue_.push(last_);
    hold(3, 1).chain = 8;
    queue_.push(last_);
    EXPECT_EQ((list{3}), seen(2));
    EXPECT_EQ((list{1, 2}), seen(3));
}

TEST_F(held_test, bytes_of_one_group_buffer_keep_their_order) {
    constexpr std::uint32_t of_buffer = cqe_flag::buffer | (5U << cqe_flag::buffer_shift);
    constexpr std::uint32_t of_other = cqe_flag::buffer | (6U << cqe_flag::buffer_shift);
    queue_.push(hold(1, 3, of_buffer));
    queue_.push(hold(2, 1, of_buffer));
    queue_.push(hold(3, 1, of_other));
    EXPECT_EQ((list{3}), seen(2));
    EXPECT_EQ((list{1, 2}), seen(3));
}

TEST_F(held_test, what_waits_for_all_is_last) {
    queue_.push(hold(1, 3));
    hold(2, 0).waits_for_all = true;
    queue_.push(last_);
    queue_.push(hold(3, 0));
    EXPECT_EQ((list{3}), seen(1));
    EXPECT_EQ((list{1, 2}), seen(3));
}

TEST_F(held_test, what_lacks_room_is_overtaken_by_nothing) {
    for (std::uint64_t i = 0; i < 10; ++i) queue_.push(hold(i, 0));
    EXPECT_TRUE(queue_.release(queues_, 0));
    EXPECT_EQ(8U, queues_.ready());
    EXPECT_EQ(2U, queue_.size());
    EXPECT_EQ((list{0, 1, 2, 3, 4, 5, 6, 7}), seen(1));
    EXPECT_EQ((list{8, 9}), seen(1));
}

TEST_F(held_test, a_pinned_completion_waits_until_it_is_known_to_be_the_last) {
    queue_.push(hold(1, held_completion::pinned, cqe_flag::more));
    EXPECT_FALSE(queue_.ripens());
    EXPECT_EQ((list{}), seen(1'000'000));
    EXPECT_FALSE(queue_.finish(2));
    ASSERT_TRUE(queue_.finish(1));
    EXPECT_TRUE(queue_.ripens());
    const held_completion* const last = queue_.find_last(1);
    ASSERT_NE(nullptr, last);
    EXPECT_FALSE(last->entry.more());
    EXPECT_EQ((list{1}), seen(1));
    queue_.push(hold(1, held_completion::pinned, cqe_flag::more));
    queue_.unpin(1);
    EXPECT_EQ(nullptr, queue_.find_last(1));
    EXPECT_EQ((list{1}), seen(2));
}

}  // namespace
}  // namespace ioring::backends::fault
