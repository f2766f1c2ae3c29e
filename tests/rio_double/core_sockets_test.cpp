// SPDX-License-Identifier: MIT
// core_sockets_test.cpp - the rio core's sockets: attached, closed, drained, and their room.
#include <cerrno>
#include <string>
#include <vector>

#include "core_test_support.hpp"

namespace ioring::rio_tests {
namespace {

using backends::rio::queue_budget;

class rio_sockets_test : public core_test {};
INSTANTIATE_TEST_SUITE_P(world, rio_sockets_test, testing::ValuesIn(worlds()),
                         [](const auto& each) { return std::string(each.param.name); });

// The flaw: the slot, its queue entries and its buffers were used again while the system still had
// requests of the socket that was closed.
TEST_P(rio_sockets_test, a_slot_is_drained_before_it_is_used_again) {
    start();
    const socket one = attach(/*cookie=*/11);
    ASSERT_EQ(0, receive(one, 0, 0, 8, 1));
    core_->flush();
    ours().hold_completions(true);
    EXPECT_FALSE(close(one));
    const socket second = attach();
    EXPECT_NE(one.id.slot, second.id.slot);
    EXPECT_EQ(-EBADF, receive(one, 0, 0, 8, 2));
    ASSERT_EQ(0, core_->remove_buffer(0));
    EXPECT_EQ(0u, ours().calls(call::deregister_buffer));
    EXPECT_EQ(2 * 2u, core_->budget().reserved());

    ours().hold_completions(false);
    EXPECT_EQ((endings{{1, -ECANCELED}}), finish(1));
    EXPECT_EQ(std::vector<std::uint64_t>{11}, told_.gone);
    EXPECT_EQ(2u, ours().calls(call::deregister_buffer));
    EXPECT_EQ(2u, core_->budget().reserved());
    const socket third = attach();
    EXPECT_EQ(one.id.slot, third.id.slot);
    EXPECT_NE(one.id.generation, third.id.generation);
    EXPECT_FALSE(core_->is_attached(one.id));
    EXPECT_EQ(-EBADF, receive(one, 1, 0, 8, 3)) << "the old name reaches nobody else";
}

TEST_P(rio_sockets_test, closing_ends_what_waits_and_what_is_in_flight) {
    start();
    const socket one = attach(/*cookie=*/12);
    for (std::uint32_t n = 0; n < 3; ++n) ASSERT_EQ(0, receive(one, n, 0, 8, n));
    core_->flush();
    EXPECT_FALSE(close(one));
    const endings all = finish(3);
    ASSERT_EQ(3u, all.size());
    for (const ending& each : all) EXPECT_EQ(-ECANCELED, each.res);
    EXPECT_EQ(std::vector<std::uint64_t>{12}, told_.gone);
}

TEST_P(rio_sockets_test, one_with_nothing_in_flight_is_closed_at_once) {
    start();
    const socket one = attach();
    EXPECT_TRUE(close(one));
    EXPECT_TRUE(told_.gone.empty()) << "the caller knows";
    EXPECT_FALSE(core_->is_attached(one.id));
    std::int32_t error = 0;
    EXPECT_TRUE(core_->close(one.id, error));
    EXPECT_EQ(-EBADF, error);
    EXPECT_EQ(0u, core_->budget().reserved());
}

TEST_P(rio_sockets_test, bytes_that_came_before_it_was_closed_are_told) {
    start();
    const socket one = attach();
    ASSERT_EQ(0, receive(one, 0, 0, 8, 1));
    core_->flush();
    world_->send(one.peer, "abc");
    sleep_once();
    EXPECT_FALSE(close(one));
    EXPECT_EQ((endings{{1, 3}}), finish(1));
}

// The flaw: 2,048 connections, by the width of an id.
TEST_P(rio_sockets_test, more_than_2048_connections_share_one_queue_that_grows) {
    start();
    constexpr std::uint32_t many = 2'100;
    std::vector<socket> all;
    for (std::uint32_t n = 0; n < many; ++n) all.push_back(attach());
    EXPECT_EQ(many, core_->connections());
    EXPECT_GE(core_->budget().entries(), 2 * many + queue_budget::slack);
    EXPECT_LE(ours().calls(call::resize_completion_queue), 8u) << "seldom";
    // Each has its own slot, and its own bytes.
    ASSERT_EQ(0, receive(all.front(), 0, 0, 8, 1));
    ASSERT_EQ(0, receive(all.back(), 1, 0, 8, 2));
    core_->flush();
    world_->send(all.back().peer, "last");
    EXPECT_EQ((endings{{2, 4}}), finish(1));
    world_->send(all.front().peer, "first");
    EXPECT_EQ((endings{{1, 5}}), finish(1));
}

TEST_P(rio_sockets_test, every_completion_has_room_even_when_all_come_at_once) {
    start(/*receives_max=*/2, /*sends_max=*/2);
    std::vector<socket> all;
    for (std::uint32_t n = 0; n < 200; ++n) {
        all.push_back(attach());
        ASSERT_EQ(0, receive(all.back(), 0, 0, 1, 2 * n)) << "never filled: the memory is shared";
        ASSERT_EQ(0, receive(all.back(), 0, 0, 1, 2 * n + 1));
    }
    core_->flush();
    ours().forget_violations();  // Receives that overlap, which only this test has.
    for (const socket& each : all) (void)close(each);
    EXPECT_EQ(400u, finish(400).size());
    EXPECT_EQ(0u, core_->budget().reserved());
}

TEST_P(rio_sockets_test, attaching_is_tried_again_while_the_system_is_short_of_room) {
    start();
    ours().fail(call::create_request_queue, abi::code::no_buffers,
                /*times=*/core::attach_tries_max - 1);
    const std::uint32_t before = core_->budget().entries();
    const socket one = attach();
    EXPECT_TRUE(core_->is_attached(one.id));
    EXPECT_GT(core_->budget().entries(), before);
}

TEST_P(rio_sockets_test, attaching_is_given_up_after_a_bounded_number_of_tries) {
    start();
    ours().fail(call::create_request_queue, abi::code::no_buffers,
                /*times=*/core::attach_tries_max);
    const world::pair both = world_->connect(true);
    peers_ = {both.rio, both.peer};
    reference id;
    EXPECT_EQ(-abi::code::no_buffers, core_->attach(both.rio, 0, id));
    EXPECT_EQ(0u, core_->connections());
    EXPECT_EQ(0u, core_->budget().reserved());
    world_->send(both.rio, "x");
    EXPECT_EQ("x", world_->receive(both.peer, 1)) << "the socket is as it was";
}

TEST_P(rio_sockets_test, a_socket_that_may_not_have_a_queue_says_why_at_once) {
    start();
    const world::pair plain = world_->connect(false);
    peers_ = {plain.rio, plain.peer};
    reference id;
    EXPECT_EQ(-abi::code::not_supported, core_->attach(plain.rio, 0, id));
    EXPECT_EQ(1u, ours().calls(call::create_request_queue)) << "trying again helps nobody";
}

TEST_P(rio_sockets_test, a_queue_that_cannot_grow_refuses_the_socket_and_keeps_the_others) {
    start();
    const socket one = attach();
    std::vector<socket> all;
    while (core_->budget().has_room(2)) all.push_back(attach());
    ours().fail(call::resize_completion_queue, abi::code::no_buffers);
    const world::pair both = world_->connect(true);
    peers_.push_back(both.rio);
    peers_.push_back(both.peer);
    reference id;
    EXPECT_EQ(-abi::code::no_buffers, core_->attach(both.rio, 0, id));
    ASSERT_EQ(0, send(one, 0, "ab", 1));
    EXPECT_EQ((endings{{1, 2}}), finish(1));
}

TEST_P(rio_sockets_test,
       a_slot_that_is_closed_and_used_again_before_the_flush_sends_the_right_bytes) {
    start();
    const socket one = attach();
    ASSERT_EQ(0, send(one, 0, "old", 1));
    EXPECT_TRUE(close(one)) << "it had not been handed to the system";
    const socket second = attach();
    EXPECT_EQ(one.id.slot, second.id.slot);
    ASSERT_EQ(0, send(second, 1, "new", 2));
    EXPECT_EQ((endings{{1, -ECANCELED}, {2, 3}}), finish(2));
    EXPECT_EQ("new", world_->receive(second.peer, 3));
}

TEST_P(rio_sockets_test, shutting_down_waits_for_what_the_system_has) {
    start();
    const socket one = attach();
    ASSERT_EQ(0, receive(one, 0, 0, 8, 1));
    core_->flush();
    ours().hold_completions(true);
    EXPECT_FALSE(core_->shut_down());
    EXPECT_EQ(0u, ours().calls(call::close_completion_queue));
    EXPECT_EQ(0u, ours().calls(call::deregister_buffer));
    ours().hold_completions(false);
    EXPECT_EQ((endings{{1, -ECANCELED}}), finish(1));
    EXPECT_TRUE(core_->shut_down());
    EXPECT_TRUE(core_->shut_down()) << "and again";
}

TEST_P(rio_sockets_test, what_cannot_be_drained_is_left_and_never_given_back_early) {
    start();
    const socket one = attach();
    ASSERT_EQ(0, receive(one, 0, 0, 8, 1));
    core_->flush();
    ours().hold_completions(true);
    EXPECT_FALSE(core_->shut_down());
    core_.reset();  // Its owner's patience is at an end.
    EXPECT_EQ(0u, ours().calls(call::deregister_buffer));
    EXPECT_EQ(0u, ours().calls(call::close_completion_queue));
    may_be_left_ = true;
}

TEST_P(rio_sockets_test, limits_of_none_are_invalid) {
    core_ = std::make_unique<core>(world_->system(), told_);
    core_options none;
    none.receives_max = 0;
    EXPECT_EQ(-EINVAL, core_->set_up(none));
    ours().fail(call::create_completion_queue, abi::code::no_buffers);
    EXPECT_EQ(-abi::code::no_buffers, core_->set_up({}));
}

}  // namespace
}  // namespace ioring::rio_tests
