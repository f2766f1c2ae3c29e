// SPDX-License-Identifier: MIT
// table_notify_test.cpp - being told that a completion queue is not empty.
#include <vector>

#include "rio_test_support.hpp"

namespace ioring::rio_tests {
namespace {

constexpr unsigned at_once_ms = 0;

class table_notify_test : public table_test {
protected:
    // A completion queue that sets an event, instead of the fixture's.
    void use_event(bool resets) {
        table().close_completion_queue(completions_);
        event_ = world_->make_event();
        abi::notification how{};
        how.type = abi::notification_type::event;
        how.event = {.event = event_, .resets = resets ? 1 : 0};
        completions_ = table().create_completion_queue(entries, &how);
        ASSERT_NE(abi::invalid_completion_queue, completions_);
    }
    [[nodiscard]] bool event_is_set(unsigned timeout_ms) {
        return world_->wait_for_event(event_, timeout_ms);
    }
    void TearDown() override {
        table_test::TearDown();
        if (event_ != nullptr) world_->close_event(event_);
    }

    abi::handle event_ = nullptr;
};
INSTANTIATE_TEST_SUITE_P(world, table_notify_test, testing::ValuesIn(worlds()), world_name);

TEST_P(table_notify_test, comes_by_the_port_with_key_and_overlapped) {
    open();
    ASSERT_TRUE(receive(0, 4));
    ASSERT_EQ(0, table().notify(completions_));
    EXPECT_FALSE(wait_for_port(at_once_ms).came);
    world_->send(pair_.peer, "a");
    const world::packet packet = wait_for_port();
    ASSERT_TRUE(packet.came);
    EXPECT_EQ(&key_, packet.key);
    EXPECT_EQ(overlapped_.data(), packet.overlapped);
    EXPECT_EQ(1u, take_ready().size());
}

TEST_P(table_notify_test, comes_once_for_each_time_it_is_asked_for) {
    open();
    world_->send(pair_.peer, "ab");
    ASSERT_EQ(0, table().notify(completions_));
    ASSERT_TRUE(receive(0, 1));
    ASSERT_TRUE(wait_for_port().came);
    EXPECT_EQ(1u, take(1).size());
    ASSERT_TRUE(receive(0, 1));
    EXPECT_FALSE(wait_for_port(at_once_ms).came) << "nobody has asked again";
    EXPECT_EQ(1u, take(1).size());
}

TEST_P(table_notify_test, is_asked_for_once_at_a_time) {
    ASSERT_EQ(0, table().notify(completions_));
    EXPECT_EQ(abi::code::already, table().notify(completions_));
}

TEST_P(table_notify_test, comes_at_once_when_the_queue_is_not_empty) {
    open();
    ASSERT_TRUE(send("abc"));
    EXPECT_EQ("abc", world_->receive(pair_.peer, 3));
    ASSERT_EQ(0, table().notify(completions_));
    EXPECT_TRUE(wait_for_port().came);
    EXPECT_EQ(1u, take(1).size());
}

TEST_P(table_notify_test, does_not_come_for_a_request_that_said_so) {
    open(2, 1);
    ASSERT_TRUE(receive(0, 1, 1, abi::message_flag::dont_notify));
    ASSERT_TRUE(receive(1, 1, 2));
    ASSERT_EQ(0, table().notify(completions_));
    world_->send(pair_.peer, "a");
    EXPECT_FALSE(wait_for_port(at_once_ms).came);
    world_->send(pair_.peer, "b");
    EXPECT_TRUE(wait_for_port().came);
    EXPECT_EQ(2u, take(2).size());
}

TEST_P(table_notify_test, is_invalid_of_a_queue_that_is_polled) {
    const abi::completion_queue polled = table().create_completion_queue(4, nullptr);
    EXPECT_EQ(abi::code::invalid, table().notify(polled));
    table().close_completion_queue(polled);
}

TEST_P(table_notify_test, sets_an_event) {
    use_event(/*resets=*/false);
    open();
    ASSERT_TRUE(receive(0, 4));
    ASSERT_EQ(0, table().notify(completions_));
    EXPECT_FALSE(event_is_set(at_once_ms));
    world_->send(pair_.peer, "a");
    EXPECT_TRUE(event_is_set(world::wait_ms_max));
    EXPECT_EQ(1u, take_ready().size());
}

TEST_P(table_notify_test, resets_its_event_where_it_was_asked_to) {
    use_event(/*resets=*/true);
    open();
    world_->send(pair_.peer, "a");
    ASSERT_TRUE(receive(0, 1));
    ASSERT_EQ(0, table().notify(completions_));
    ASSERT_TRUE(event_is_set(world::wait_ms_max));
    EXPECT_EQ(1u, take_ready().size());
    ASSERT_EQ(0, table().notify(completions_));
    EXPECT_FALSE(event_is_set(at_once_ms));
}

}  // namespace
}  // namespace ioring::rio_tests
