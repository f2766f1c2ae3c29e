// SPDX-License-Identifier: MIT
// table_requests_test.cpp - receives and sends: what is refused, what comes back, in which order.
#include <string>
#include <vector>

#include "rio_test_support.hpp"

namespace ioring::rio_tests {
namespace {

namespace flag = abi::message_flag;

class table_requests_test : public table_test {};
INSTANTIATE_TEST_SUITE_P(world, table_requests_test, testing::ValuesIn(worlds()), world_name);

TEST_P(table_requests_test, a_receive_brings_bytes_and_both_contexts) {
    open(1, 1, /*socket_context=*/0x1122'3344'5566'7788);
    ASSERT_TRUE(receive(8, 16, /*context=*/0x8877'6655'4433'2211));
    EXPECT_TRUE(take_ready().empty()) << "nothing was sent yet";
    world_->send(pair_.peer, "hello");
    const abi::result done = take(1).at(0);
    EXPECT_EQ(0, done.status);
    EXPECT_EQ(5u, done.bytes_transferred);
    EXPECT_EQ(0x1122'3344'5566'7788u, done.socket_context);
    EXPECT_EQ(0x8877'6655'4433'2211u, done.request_context);
    EXPECT_EQ("hello", received(8, 5));
}

TEST_P(table_requests_test, a_receive_takes_what_is_there_and_no_more_than_its_part) {
    open();
    world_->send(pair_.peer, "abcdef");
    ASSERT_TRUE(receive(0, 4));
    EXPECT_EQ(4u, take(1).at(0).bytes_transferred);
    EXPECT_EQ("abcd", received(0, 4));
    EXPECT_EQ('\0', memory_[4]);
    ASSERT_TRUE(receive(0, 4));
    EXPECT_EQ(2u, take(1).at(0).bytes_transferred);
    EXPECT_EQ("ef", received(0, 2));
}

TEST_P(table_requests_test, the_end_of_the_stream_is_no_bytes) {
    open();
    ASSERT_TRUE(receive(0, 4));
    world_->end(pair_.peer);
    const abi::result done = take(1).at(0);
    EXPECT_EQ(0, done.status);
    EXPECT_EQ(0u, done.bytes_transferred);
}

TEST_P(table_requests_test, a_reset_is_a_status_of_winsock) {
    open();
    ASSERT_TRUE(receive(0, 4));
    world_->reset(pair_.peer);
    pair_.peer = abi::invalid_socket;
    EXPECT_EQ(abi::code::connection_reset, take(1).at(0).status);
}

TEST_P(table_requests_test, a_send_moves_all_of_its_bytes) {
    open();
    const std::size_t bytes = 2 * world_->room_max();
    std::string text(bytes, 'x');
    text.back() = 'y';
    const abi::buffer_id large =
        table().register_buffer(text.data(), static_cast<abi::dword>(bytes));
    abi::buffer part{.id = large, .offset = 0, .length = static_cast<abi::dword>(bytes)};
    ASSERT_NE(0, table().send(requests_, &part, 1, 0, nullptr));
    EXPECT_TRUE(take_ready().empty()) << "the peer has not read";
    EXPECT_EQ(text, world_->receive(pair_.peer, bytes));
    EXPECT_EQ(bytes, take(1).at(0).bytes_transferred);
    table().deregister_buffer(large);
}

TEST_P(table_requests_test, requests_of_one_direction_run_in_order) {
    open(3, 3);
    for (abi::dword n = 0; n < 3; ++n) ASSERT_TRUE(receive(4 * n, 2, n));
    world_->send(pair_.peer, "aabbcc");
    const auto done = take(3);
    ASSERT_EQ(3u, done.size());
    for (abi::dword n = 0; n < 3; ++n) EXPECT_EQ(n, done[n].request_context);
    EXPECT_EQ("aa", received(0, 2));
    EXPECT_EQ("bb", received(4, 2));
    EXPECT_EQ("cc", received(8, 2));
}

TEST_P(table_requests_test, a_receive_that_waits_for_all_does) {
    open();
    ASSERT_TRUE(receive(0, 6, 1, flag::wait_all));
    world_->send(pair_.peer, "abc");
    EXPECT_TRUE(take_ready().empty());
    world_->send(pair_.peer, "defg");
    EXPECT_EQ(6u, take(1).at(0).bytes_transferred);
    EXPECT_EQ("abcdef", received(0, 6));
}

TEST_P(table_requests_test, a_receive_that_waits_for_all_is_short_at_the_end) {
    open();
    ASSERT_TRUE(receive(0, 6, 1, flag::wait_all));
    world_->send(pair_.peer, "abc");
    world_->end(pair_.peer);
    const abi::result done = take(1).at(0);
    EXPECT_EQ(0, done.status);
    EXPECT_EQ(3u, done.bytes_transferred);
}

TEST_P(table_requests_test, beyond_the_limit_a_request_is_refused_and_has_no_completion) {
    open(2, 1);
    ASSERT_TRUE(receive(0, 4, 1));
    ASSERT_TRUE(receive(4, 4, 2));
    EXPECT_FALSE(receive(8, 4, 3));
    EXPECT_EQ(abi::code::no_buffers, last_error());
    world_->send(pair_.peer, "aaaabbbbcccc");
    EXPECT_EQ(2u, take(2).size());
    EXPECT_TRUE(take_ready().empty());
}

TEST_P(table_requests_test, a_limit_of_none_lets_none_through) {
    open(1, 0);
    EXPECT_FALSE(send("a"));
    EXPECT_EQ(abi::code::no_buffers, last_error());
}

TEST_P(table_requests_test, quota_comes_back_when_the_completion_is_taken_not_before) {
    open(1, 1);
    world_->send(pair_.peer, "ab");
    ASSERT_TRUE(receive(0, 1, 1));
    // It has completed, and nobody has looked.
    EXPECT_FALSE(receive(1, 1, 2));
    EXPECT_EQ(abi::code::no_buffers, last_error());
    EXPECT_EQ(1u, take(1).size());
    EXPECT_TRUE(receive(1, 1, 2));
    EXPECT_EQ(2u, take(1).at(0).request_context);
}

TEST_P(table_requests_test, deferred_requests_run_when_they_are_committed) {
    open(3, 1);
    world_->send(pair_.peer, "abc");
    ASSERT_TRUE(receive(0, 1, 1, flag::defer));
    ASSERT_TRUE(receive(1, 1, 2, flag::defer));
    ASSERT_TRUE(commit(/*sends=*/false));
    EXPECT_EQ(2u, take(2).size());
}

TEST_P(table_requests_test, a_request_that_is_not_deferred_commits_those_before_it) {
    open(2, 1);
    world_->send(pair_.peer, "abc");
    ASSERT_TRUE(receive(0, 1, 1, flag::defer));
    ASSERT_TRUE(receive(1, 1, 2));
    const auto done = take(2);
    ASSERT_EQ(2u, done.size());
    EXPECT_EQ(1u, done[0].request_context);
}

TEST_P(table_requests_test, a_deferred_request_counts_against_the_limit) {
    open(1, 1);
    ASSERT_TRUE(receive(0, 1, 1, flag::defer));
    EXPECT_FALSE(receive(1, 1, 2, flag::defer));
    EXPECT_EQ(abi::code::no_buffers, last_error());
}

TEST_P(table_requests_test, committing_takes_no_data_and_no_other_flag) {
    open(2, 1);
    abi::buffer part{.id = for_receive_, .offset = 0, .length = 1};
    int context = 0;
    const auto refused = [&](abi::buffer* data, abi::dword count, abi::dword flags, void* with) {
        const bool done = table().receive(requests_, data, count, flags, with) != 0;
        return !done && last_error() == abi::code::invalid;
    };
    EXPECT_TRUE(refused(&part, 1, flag::commit_only, nullptr));
    EXPECT_TRUE(refused(nullptr, 1, flag::commit_only, nullptr));
    EXPECT_TRUE(refused(nullptr, 0, flag::commit_only, &context));
    EXPECT_TRUE(refused(nullptr, 0, flag::commit_only | flag::defer, nullptr));
    EXPECT_TRUE(commit(false)) << "with nothing deferred";
}

TEST_P(table_requests_test, unknown_flags_and_queues_are_invalid) {
    open();
    EXPECT_FALSE(receive(0, 1, 1, 0x10));
    EXPECT_EQ(abi::code::invalid, last_error());
    EXPECT_FALSE(send("a", 1, flag::wait_all)) << "a send always moves everything";
    EXPECT_EQ(abi::code::invalid, last_error());
    requests_ = abi::invalid_request_queue;
    EXPECT_FALSE(receive(0, 1));
    EXPECT_EQ(abi::code::invalid, last_error());
}

TEST_P(table_requests_test, a_registration_that_was_given_up_is_a_fault) {
    open();
    const abi::buffer_id gone = table().register_buffer(memory_.data(), half);
    table().deregister_buffer(gone);
    abi::buffer part{.id = gone, .offset = 0, .length = 1};
    EXPECT_EQ(0, table().receive(requests_, &part, 1, 0, nullptr));
    EXPECT_EQ(abi::code::fault, last_error());
}

TEST_P(table_requests_test, a_part_beyond_its_buffer_is_refused) {
    open();
    EXPECT_FALSE(receive(half - 1, 2));
    EXPECT_FALSE(receive(half + 1, 1));
    ASSERT_TRUE(receive(half - 1, 1));
}

TEST_P(table_requests_test, closing_the_socket_ends_requests_as_aborted) {
    open(2, 1);
    ASSERT_TRUE(receive(0, 4, 1));
    ASSERT_TRUE(receive(4, 4, 2));
    close(pair_.rio);
    pair_.rio = abi::invalid_socket;
    for (const abi::result& each : take(2)) {
        EXPECT_EQ(abi::code::operation_aborted, each.status);
    }
}

TEST_P(table_requests_test, receives_and_sends_do_not_hold_each_other_up) {
    open();
    ASSERT_TRUE(receive(0, 4, 1));
    ASSERT_TRUE(send("ping", 2));
    EXPECT_EQ(2u, take(1).at(0).request_context);
    EXPECT_EQ("ping", world_->receive(pair_.peer, 4));
    world_->send(pair_.peer, "pong");
    EXPECT_EQ(1u, take(1).at(0).request_context);
}

}  // namespace
}  // namespace ioring::rio_tests
