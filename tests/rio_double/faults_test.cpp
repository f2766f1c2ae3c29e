// SPDX-License-Identifier: MIT
// faults_test.cpp - the double fails, and does what is seldom, when a test asks it to.
#include <string>
#include <vector>

#include "rio_test_support.hpp"

namespace ioring::rio_tests {
namespace {

class faults_test : public table_test {
protected:
    void SetUp() override {
        table_test::SetUp();
        if (world_ != nullptr && world_->the_double() == nullptr) GTEST_SKIP() << "no double";
    }
    [[nodiscard]] rio_double& ours() { return *world_->the_double(); }
};
INSTANTIATE_TEST_SUITE_P(world, faults_test, testing::ValuesIn(worlds()), world_name);

TEST_P(faults_test, a_call_fails_as_often_as_it_was_told_to) {
    pair_ = world_->connect(true);
    ours().fail(call::create_request_queue, abi::code::no_buffers, /*times=*/2, /*skip=*/0);
    for (int times = 0; times < 2; ++times) {
        EXPECT_EQ(abi::invalid_request_queue, make_requests(pair_.rio, 1, 1));
        EXPECT_EQ(abi::code::no_buffers, last_error());
    }
    EXPECT_NE(abi::invalid_request_queue, make_requests(pair_.rio, 1, 1));
    EXPECT_EQ(3u, ours().calls(call::create_request_queue));
}

TEST_P(faults_test, a_later_call_fails) {
    open();
    ours().fail(call::receive, abi::code::fault, /*times=*/1, /*skip=*/1);
    EXPECT_TRUE(receive(0, 1));
    EXPECT_FALSE(receive(1, 1));
    EXPECT_EQ(abi::code::fault, last_error());
}

TEST_P(faults_test, a_queue_is_corrupt_on_demand) {
    abi::result unused;
    ours().fail(call::dequeue_completion, 0);
    EXPECT_EQ(abi::corrupt_completion_queue, table().dequeue_completion(completions_, &unused, 1));
    EXPECT_TRUE(take_ready().empty()) << "once only";
}

TEST_P(faults_test, a_queue_is_corrupt_for_good) {
    ASSERT_EQ(0, table().notify(completions_));
    ours().corrupt();
    EXPECT_TRUE(wait_for_port().came) << "nobody may sleep through it";
    const abi::completion_queue other = make_completions(4);
    abi::result unused;
    for (const abi::completion_queue each : {completions_, other}) {
        EXPECT_EQ(abi::corrupt_completion_queue, table().dequeue_completion(each, &unused, 1));
    }
    table().close_completion_queue(other);
    table().close_completion_queue(completions_);
    completions_ = abi::invalid_completion_queue;
    world_ = nullptr;  // Nothing more can be looked at.
}

TEST_P(faults_test, completions_are_held_back) {
    open();
    ours().hold_completions(true);
    ASSERT_TRUE(send("abc"));
    EXPECT_EQ("abc", world_->receive(pair_.peer, 3));
    ASSERT_EQ(0, table().notify(completions_));
    EXPECT_TRUE(take_ready().empty());
    EXPECT_FALSE(wait_for_port(0).came);
    ours().hold_completions(false);
    EXPECT_TRUE(wait_for_port().came);
    EXPECT_EQ(1u, take_ready().size());
}

TEST_P(faults_test, a_request_ends_with_the_status_it_was_told) {
    open();
    ASSERT_TRUE(receive(0, 4));
    ours().end_next_with(abi::code::operation_aborted);
    EXPECT_EQ(abi::code::operation_aborted, take(1).at(0).status);
}

TEST_P(faults_test, receives_are_short) {
    open();
    ours().limit_receives(2);
    world_->send(pair_.peer, "abcdefg");
    ASSERT_TRUE(receive(0, 8));
    EXPECT_EQ(2u, take(1).at(0).bytes_transferred);
    ASSERT_TRUE(receive(0, 5, 0, abi::message_flag::wait_all));
    EXPECT_EQ(5u, take(1).at(0).bytes_transferred) << "but for those that wait for all";
}

TEST_P(faults_test, deferred_requests_stay_until_they_are_committed_or_do_not) {
    open(2, 1);
    world_->send(pair_.peer, "abc");
    ASSERT_TRUE(receive(0, 1, 1, abi::message_flag::defer));
    EXPECT_TRUE(take_ready().empty());
    ours().run_deferred(true);
    ASSERT_TRUE(receive(1, 1, 2, abi::message_flag::defer));
    EXPECT_EQ(2u, take(2).size());
}

TEST_P(faults_test, a_notification_comes_for_nothing) {
    ASSERT_EQ(0, table().notify(completions_));
    ours().notify_for_nothing();
    EXPECT_TRUE(wait_for_port().came);
    EXPECT_TRUE(take_ready().empty());
}

TEST_P(faults_test, a_completion_comes_that_nobody_asked_for) {
    ours().complete_nothing();
    EXPECT_EQ(1u, take_ready().size());
}

}  // namespace
}  // namespace ioring::rio_tests
