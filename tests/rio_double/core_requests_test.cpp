// SPDX-License-Identifier: MIT
// core_requests_test.cpp - the rio core's requests: order, limits, buffers, what is refused.
#include <cerrno>
#include <string>
#include <vector>

#include "core_test_support.hpp"

namespace ioring::rio_tests {
namespace {

using backends::rio::queue_budget;

class rio_requests_test : public core_test {};
INSTANTIATE_TEST_SUITE_P(world, rio_requests_test, testing::ValuesIn(worlds()),
                         [](const auto& each) { return std::string(each.param.name); });

TEST_P(rio_requests_test, bytes_go_both_ways) {
    start();
    const socket one = attach();
    ASSERT_EQ(0, receive(one, 0, 8, 16, 1));
    ASSERT_EQ(0, send(one, 1, "ping", 2));
    EXPECT_EQ((endings{{2, 4}}), finish(1));
    EXPECT_EQ("ping", world_->receive(one.peer, 4));
    world_->send(one.peer, "pong!");
    EXPECT_EQ((endings{{1, 5}}), finish(1));
    EXPECT_EQ("pong!", text_at(0, 8, 5));
}

TEST_P(rio_requests_test, the_end_of_the_stream_is_no_bytes) {
    start();
    const socket one = attach();
    ASSERT_EQ(0, receive(one, 0, 0, 8, 1));
    world_->end(one.peer);
    EXPECT_EQ((endings{{1, 0}}), finish(1));
}

TEST_P(rio_requests_test, what_exceeds_the_limit_waits_its_turn) {
    start(/*receives_max=*/1, /*sends_max=*/1);
    const socket one = attach();
    for (std::uint32_t n = 0; n < 5; ++n) ASSERT_EQ(0, receive(one, 0, 2 * n, 2, n));
    core_->flush();
    EXPECT_EQ(1u, core_->in_flight());
    world_->send(one.peer, "aabbccddee");
    EXPECT_EQ((endings{{0, 2}, {1, 2}, {2, 2}, {3, 2}, {4, 2}}), finish(5));
    EXPECT_EQ("aabbccddee", text_at(0, 0, 10));
}

TEST_P(rio_requests_test, one_that_waits_can_be_withdrawn_and_one_in_flight_cannot) {
    start();
    const socket one = attach();
    reference requests[3];
    for (std::uint32_t n = 0; n < 3; ++n) {
        ASSERT_EQ(0, receive(one, n, 0, 2, n));
        requests[n] = last_;
    }
    core_->flush();
    EXPECT_FALSE(core_->withdraw(requests[0]));
    EXPECT_TRUE(core_->withdraw(requests[1]));
    EXPECT_FALSE(core_->withdraw(requests[1])) << "it is gone already";
    world_->send(one.peer, "aabb");
    EXPECT_EQ((endings{{0, 2}, {2, 2}}), finish(2));
    EXPECT_FALSE(core_->withdraw(requests[2]));
}

TEST_P(rio_requests_test, a_batch_is_deferred_but_for_its_last_request) {
    start(/*receives_max=*/4);
    const socket one = attach();
    for (std::uint32_t n = 0; n < 4; ++n) ASSERT_EQ(0, receive(one, 0, n, 1, n));
    core_->flush();
    EXPECT_EQ(4u, ours().calls(call::receive)) << "nothing more to commit them";
    world_->send(one.peer, "abcd");
    EXPECT_EQ(4u, finish(4).size());
}

TEST_P(rio_requests_test, deferred_requests_are_committed_when_their_successor_is_refused) {
    start(/*receives_max=*/3);
    const socket one = attach();
    for (std::uint32_t n = 0; n < 3; ++n) ASSERT_EQ(0, receive(one, 0, n, 1, n));
    ours().fail(call::receive, abi::code::no_buffers, /*times=*/1, /*skip=*/2);
    core_->flush();
    EXPECT_EQ(2u, core_->in_flight());
    world_->send(one.peer, "abc");
    EXPECT_EQ((endings{{0, 1}, {1, 1}, {2, 1}}), finish(3)) << "the third one when there was room";
}

TEST_P(rio_requests_test, a_request_that_is_refused_is_an_error_and_no_silent_hang) {
    start(/*receives_max=*/2, /*sends_max=*/2);
    const socket one = attach();
    ours().fail(call::receive, abi::code::no_buffers);
    ours().fail(call::send, abi::code::fault);
    ASSERT_EQ(0, receive(one, 0, 0, 1, 1));
    ASSERT_EQ(0, send(one, 1, "a", 2));
    ASSERT_EQ(0, send(one, 2, "b", 3));
    EXPECT_EQ((endings{{1, -abi::code::no_buffers}, {2, -abi::code::fault}, {3, 1}}), finish(3));
    EXPECT_EQ("b", world_->receive(one.peer, 1));
}

TEST_P(rio_requests_test, the_status_of_a_completion_is_looked_at) {
    start();
    const socket one = attach();
    ASSERT_EQ(0, receive(one, 0, 0, 8, 1));
    core_->flush();
    world_->reset(one.peer);
    peers_.clear();
    EXPECT_EQ((endings{{1, -abi::code::connection_reset}}), finish(1));
}

TEST_P(rio_requests_test, aborted_without_our_closing_it_is_a_reset) {
    start();
    const socket one = attach();
    ASSERT_EQ(0, receive(one, 0, 0, 8, 1));
    core_->flush();
    ours().end_next_with(abi::code::operation_aborted);
    EXPECT_EQ((endings{{1, -ECONNRESET}}), finish(1));
}

TEST_P(rio_requests_test, a_receive_for_all_bytes_tells_what_came_before_an_error) {
    start();
    const socket one = attach();
    ASSERT_EQ(0, receive(one, 0, 0, 8, 1, /*wait_all=*/true));
    core_->flush();
    world_->send(one.peer, "abc");
    EXPECT_EQ(endings{}, reap());
    world_->reset(one.peer);
    peers_.clear();
    EXPECT_EQ((endings{{1, 3}}), finish(1));
}

TEST_P(rio_requests_test, bytes_outside_of_their_buffer_are_a_bad_address) {
    start();
    const socket one = attach();
    EXPECT_EQ(-EFAULT, receive(one, 0, 1, buffer_bytes, 1));
    EXPECT_EQ(-EFAULT, receive(one, 0, 0, 0, 1)) << "no bytes at all";
    EXPECT_EQ(-EFAULT, receive(one, 1, ~0U - buffer_bytes + 1, 1, 1)) << "before it";
    EXPECT_EQ(-EFAULT, receive(one, buffers_count, 0, 1, 1)) << "never registered";
    ASSERT_EQ(0, core_->remove_buffer(3));
    EXPECT_EQ(-EFAULT, receive(one, 3, 0, 1, 1)) << "not any more";
    EXPECT_EQ(-EINVAL, core_->remove_buffer(3));
    EXPECT_EQ(endings{}, reap()) << "what is refused at once does not end, too";
}

TEST_P(rio_requests_test, memory_that_is_none_is_not_registered) {
    start();
    EXPECT_EQ(-EINVAL, core_->add_buffer(9, nullptr, 1));
    EXPECT_EQ(-EINVAL, core_->add_buffer(9, at(0), 0));
    EXPECT_EQ(-EINVAL, core_->add_buffer(9, at(0), abi::buffer_bytes_max + 1));
    EXPECT_EQ(-EEXIST, core_->add_buffer(0, at(0), 1));
    ours().fail(call::register_buffer, abi::code::no_buffers, /*times=*/1, /*skip=*/1);
    EXPECT_EQ(-abi::code::no_buffers, core_->add_buffer(9, at(0), 1)) << "the second of the two";
    EXPECT_EQ(0, core_->add_buffer(9, at(0), 1));
}

// The flaw: one registration for all sends, and nothing that keeps two of them apart.
TEST_P(rio_requests_test, one_buffer_is_sent_by_one_socket_at_a_time) {
    start();
    const socket one = attach();
    const socket other = attach();
    ours().hold_completions(true);
    ASSERT_EQ(0, send(one, 0, "ab", 1));
    core_->flush();
    ASSERT_EQ(0, send(other, 0, "ab", 2));
    core_->flush();
    EXPECT_EQ((endings{{2, -EBUSY}}), reap());
    ASSERT_EQ(0, send(other, 1, "cd", 3)) << "another buffer";
    ours().hold_completions(false);
    EXPECT_EQ((endings{{1, 2}, {3, 2}}), finish(2));
    ASSERT_EQ(0, send(other, 0, "ef", 4)) << "it is free again";
    EXPECT_EQ((endings{{4, 2}}), finish(1));
}

TEST_P(rio_requests_test, a_second_send_from_one_buffer_waits_for_the_first_of_its_socket) {
    start(/*receives_max=*/1, /*sends_max=*/4);
    const socket one = attach();
    ASSERT_EQ(0, send(one, 0, "ab", 1));
    ASSERT_EQ(0, send(one, 0, "ab", 2));
    ASSERT_EQ(0, send(one, 1, "cd", 3));
    core_->flush();
    EXPECT_EQ(1u, core_->in_flight()) << "and nothing overtakes it";
    EXPECT_EQ((endings{{1, 2}, {2, 2}, {3, 2}}), finish(3));
    EXPECT_EQ("ababcd", world_->receive(one.peer, 6));
}

TEST_P(rio_requests_test, one_buffer_can_be_received_into_and_sent_from_at_once) {
    start();
    const socket one = attach();
    ASSERT_EQ(0, receive(one, 0, 32, 8, 1));
    ASSERT_EQ(0, send(one, 0, "ab", 2));
    EXPECT_EQ((endings{{2, 2}}), finish(1));
    world_->send(one.peer, "x");
    EXPECT_EQ((endings{{1, 1}}), finish(1));
}

TEST_P(rio_requests_test, a_buffer_that_is_in_use_stays_registered_until_it_is_not) {
    start();
    const socket one = attach();
    ASSERT_EQ(0, receive(one, 0, 0, 8, 1));
    ASSERT_EQ(0, receive(one, 0, 8, 8, 2)) << "and one that waits";
    core_->flush();
    ASSERT_EQ(0, core_->remove_buffer(0));
    const unsigned before = ours().calls(call::deregister_buffer);
    ASSERT_EQ(0, core_->add_buffer(0, at(0, 32), 8)) << "its number is free at once";
    world_->send(one.peer, "a");
    EXPECT_EQ((endings{{1, 1}}), finish(1));
    EXPECT_EQ(before, ours().calls(call::deregister_buffer));
    world_->send(one.peer, "b");
    EXPECT_EQ((endings{{2, 1}}), finish(1));
    EXPECT_EQ(before + 2, ours().calls(call::deregister_buffer)) << "both directions";
    EXPECT_EQ("b", text_at(0, 8, 1)) << "where it was submitted to";
}

// The flaw: a buffer id of 16 bits, and a pool that ends at the 2049th buffer.
TEST_P(rio_requests_test, more_than_65536_buffers_are_each_their_own) {
    start();
    constexpr std::uint32_t many = 65'536 + 10;
    std::string text(many, 'a');
    auto* const data = reinterpret_cast<std::byte*>(text.data());
    for (std::uint32_t n = buffers_count; n < many; ++n) {
        ASSERT_EQ(0, core_->add_buffer(n, data + n, 1)) << n;
    }
    text[65'536 + 9] = 'z';  // Cut to 16 bits it would be buffer 9.
    const socket one = attach();
    for (const std::uint32_t n : {9U, 65'536U + 9U, 2'049U}) {
        ASSERT_EQ(
            0, core_->submit(
                   one.id,
                   {.way = direction::send, .buffer = n, .data = data + n, .bytes = 1, .cookie = n},
                   last_));
    }
    EXPECT_EQ(3u, finish(3).size());
    EXPECT_EQ("aza", world_->receive(one.peer, 3));
    EXPECT_EQ(
        -EFAULT,
        core_->submit(one.id,
                      {.way = direction::send, .buffer = 9, .data = data + 65'536 + 9, .bytes = 1},
                      last_));
}

}  // namespace
}  // namespace ioring::rio_tests
