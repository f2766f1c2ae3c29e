// SPDX-License-Identifier: MIT
// table_queues_test.cpp - what may be made, how large, and how many share it.
#include <string>
#include <vector>

#include "rio_test_support.hpp"

namespace ioring::rio_tests {
namespace {

class table_queues_test : public table_test {
protected:
    void expect_no_requests(abi::socket socket, abi::dword receives, abi::dword sends,
                            std::int32_t code) {
        EXPECT_EQ(abi::invalid_request_queue, make_requests(socket, receives, sends));
        EXPECT_EQ(code, last_error());
    }
};
INSTANTIATE_TEST_SUITE_P(world, table_queues_test, testing::ValuesIn(worlds()), world_name);

TEST_P(table_queues_test, a_completion_queue_has_one_entry_at_least_and_a_limit) {
    for (const abi::dword size : {0U, abi::completion_queue_size_max + 1}) {
        EXPECT_EQ(abi::invalid_completion_queue, table().create_completion_queue(size, nullptr));
        EXPECT_EQ(abi::code::invalid, last_error());
    }
    const abi::completion_queue least = table().create_completion_queue(1, nullptr);
    EXPECT_NE(abi::invalid_completion_queue, least);
    table().close_completion_queue(least);
}

TEST_P(table_queues_test, a_port_needs_an_overlapped) {
    abi::notification how{};
    how.type = abi::notification_type::completion_port;
    how.port = {.port = port_, .key = nullptr, .overlapped = nullptr};
    EXPECT_EQ(abi::invalid_completion_queue, table().create_completion_queue(4, &how));
    EXPECT_EQ(abi::code::invalid, last_error());
}

TEST_P(table_queues_test, an_invalid_completion_queue_is_corrupt_to_read_and_ignored_to_close) {
    abi::result unused;
    EXPECT_EQ(abi::corrupt_completion_queue,
              table().dequeue_completion(abi::invalid_completion_queue, &unused, 1));
    EXPECT_EQ(abi::code::invalid, table().notify(abi::invalid_completion_queue));
    table().close_completion_queue(abi::invalid_completion_queue);
}

TEST_P(table_queues_test, an_empty_queue_gives_nothing) { EXPECT_TRUE(take_ready().empty()); }

TEST_P(table_queues_test, a_request_queue_needs_room_for_something) {
    pair_ = world_->connect(true);
    expect_no_requests(pair_.rio, 0, 0, abi::code::invalid);
    EXPECT_NE(abi::invalid_request_queue, make_requests(pair_.rio, 1, 0));
}

TEST_P(table_queues_test, a_request_queue_needs_completion_queues) {
    pair_ = world_->connect(true);
    EXPECT_EQ(abi::invalid_request_queue,
              table().create_request_queue(pair_.rio, 1, 1, 1, 1, abi::invalid_completion_queue,
                                           completions_, nullptr));
    EXPECT_EQ(abi::code::invalid, last_error());
    EXPECT_EQ(abi::invalid_request_queue,
              table().create_request_queue(pair_.rio, 1, 1, 1, 1, completions_,
                                           abi::invalid_completion_queue, nullptr));
    EXPECT_EQ(abi::code::invalid, last_error());
}

TEST_P(table_queues_test, a_request_has_one_data_buffer) {
    pair_ = world_->connect(true);
    for (const auto& [receive_buffers, send_buffers] : {std::pair{2U, 1U}, std::pair{1U, 2U}}) {
        EXPECT_EQ(abi::invalid_request_queue,
                  table().create_request_queue(pair_.rio, 1, receive_buffers, 1, send_buffers,
                                               completions_, completions_, nullptr));
        EXPECT_EQ(abi::code::invalid, last_error());
    }
}

TEST_P(table_queues_test, what_is_no_socket_gets_no_request_queue) {
    expect_no_requests(abi::socket{0x7fff'fff0}, 1, 1, abi::code::not_socket);
}

TEST_P(table_queues_test, a_socket_without_the_flag_gets_no_request_queue) {
    pair_ = world_->connect(false);
    expect_no_requests(pair_.rio, 1, 1, abi::code::not_supported);
}

TEST_P(table_queues_test, all_request_queues_must_fit_the_completion_queue) {
    open(entries / 2, entries / 2 - 1);
    const world::pair other = world_->connect(true);
    expect_no_requests(other.rio, 1, 1, abi::code::no_buffers);
    EXPECT_NE(abi::invalid_request_queue, make_requests(other.rio, 1, 0));
    close(other.rio);
    close(other.peer);
}

TEST_P(table_queues_test, closing_a_socket_makes_room_for_another) {
    open(entries / 2, entries / 2);
    const world::pair other = world_->connect(true);
    expect_no_requests(other.rio, 1, 1, abi::code::no_buffers);
    close(pair_.rio);
    pair_.rio = other.rio;
    requests_ = abi::invalid_request_queue;
    // The system may take its time.
    for (int tries = 0; tries < 1000 && requests_ == abi::invalid_request_queue; ++tries) {
        requests_ = make_requests(other.rio, 1, 1);
    }
    EXPECT_NE(abi::invalid_request_queue, requests_);
    close(other.peer);
}

TEST_P(table_queues_test, growing_the_completion_queue_makes_room) {
    open(entries / 2, entries / 2);
    const world::pair other = world_->connect(true);
    expect_no_requests(other.rio, 1, 1, abi::code::no_buffers);
    EXPECT_NE(0, table().resize_completion_queue(completions_, entries + 2));
    EXPECT_NE(abi::invalid_request_queue, make_requests(other.rio, 1, 1));
    close(other.rio);
    close(other.peer);
}

TEST_P(table_queues_test, a_completion_queue_does_not_shrink_below_what_is_attached) {
    open(entries / 2, entries / 2);
    EXPECT_EQ(0, table().resize_completion_queue(completions_, entries - 1));
    EXPECT_EQ(abi::code::too_many_references, last_error());
    EXPECT_EQ(0, table().resize_completion_queue(completions_, abi::completion_queue_size_max + 1));
    EXPECT_EQ(abi::code::invalid, last_error());
    EXPECT_EQ(0, table().resize_completion_queue(abi::invalid_completion_queue, 4));
    EXPECT_EQ(abi::code::invalid, last_error());
}

TEST_P(table_queues_test, completions_stay_when_their_queue_is_resized) {
    open();
    ASSERT_TRUE(send("abc", 7));
    EXPECT_EQ("abc", world_->receive(pair_.peer, 3));
    ASSERT_NE(0, table().resize_completion_queue(completions_, 2 * entries));
    EXPECT_EQ(7u, take(1).at(0).request_context);
}

TEST_P(table_queues_test, a_request_queue_can_be_resized) {
    open(1, 1);
    ASSERT_TRUE(receive(0, 1, 1));
    EXPECT_FALSE(receive(1, 1, 2));
    EXPECT_EQ(abi::code::no_buffers, last_error());
    EXPECT_EQ(0, table().resize_request_queue(requests_, 0, 1)) << "one is outstanding";
    EXPECT_EQ(abi::code::too_many_references, last_error());
    EXPECT_EQ(0, table().resize_request_queue(requests_, 0, 0));
    EXPECT_EQ(abi::code::invalid, last_error());
    EXPECT_EQ(0, table().resize_request_queue(abi::invalid_request_queue, 1, 1));
    EXPECT_EQ(abi::code::invalid, last_error());
    ASSERT_NE(0, table().resize_request_queue(requests_, 2, 1));
    EXPECT_TRUE(receive(1, 1, 2));
}

TEST_P(table_queues_test, memory_that_is_none_is_not_registered) {
    EXPECT_EQ(abi::invalid_buffer_id(), table().register_buffer(memory_.data(), 0));
    EXPECT_EQ(abi::code::invalid, last_error());
    EXPECT_EQ(abi::invalid_buffer_id(), table().register_buffer(nullptr, 8));
    EXPECT_EQ(abi::code::fault, last_error());
    table().deregister_buffer(abi::invalid_buffer_id());  // Ignored.
}

TEST_P(table_queues_test, the_same_memory_can_be_registered_twice) {
    const abi::buffer_id again = table().register_buffer(memory_.data(), half);
    EXPECT_NE(abi::invalid_buffer_id(), again);
    EXPECT_NE(for_receive_, again);
    table().deregister_buffer(again);
}

}  // namespace
}  // namespace ioring::rio_tests
