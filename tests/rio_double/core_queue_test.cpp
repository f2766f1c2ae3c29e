// SPDX-License-Identifier: MIT
// core_queue_test.cpp - the rio core's completion queue: sleeping on it, and its death.
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "core_test_support.hpp"

namespace ioring::rio_tests {
namespace {

class rio_queue_test : public core_test {};
INSTANTIATE_TEST_SUITE_P(world, rio_queue_test, testing::ValuesIn(worlds()),
                         [](const auto& each) { return std::string(each.param.name); });

// The flaw: waits that spin.
TEST_P(rio_queue_test, a_wait_sleeps_and_looks_once_when_another_thread_wakes_it) {
    start();
    const socket one = attach();
    ASSERT_EQ(0, receive(one, 0, 0, 8, 1));
    core_->flush();
    EXPECT_EQ(endings{}, reap());
    const unsigned looks = ours().calls(call::dequeue_completion);
    std::thread peer([&] { world_->send(one.peer, "abc"); });
    sleep_once();
    peer.join();
    EXPECT_EQ((endings{{1, 3}}), reap());
    EXPECT_EQ(looks + 1, ours().calls(call::dequeue_completion));
    EXPECT_EQ(1u, ours().calls(call::notify));
}

TEST_P(rio_queue_test, is_asked_to_tell_once_at_a_time) {
    start();
    const socket one = attach();
    ASSERT_EQ(0, receive(one, 0, 0, 8, 1));
    core_->flush();
    core_->arm();
    core_->arm();
    EXPECT_EQ(1u, ours().calls(call::notify));
    world_->send(one.peer, "a");
    EXPECT_EQ((endings{{1, 1}}), finish(1)) << "the one that was asked for is enough";
}

TEST_P(rio_queue_test, is_not_asked_to_tell_when_nothing_can_come) {
    start();
    (void)attach();
    core_->arm();
    EXPECT_EQ(0u, ours().calls(call::notify));
}

TEST_P(rio_queue_test, already_asked_is_as_good_as_asked) {
    start();
    const socket one = attach();
    ASSERT_EQ(0, receive(one, 0, 0, 8, 1));
    core_->flush();
    core_->arm();
    core_->notified();  // It was not: the packet is still to come.
    core_->arm();
    EXPECT_FALSE(core_->dead());
    world_->send(one.peer, "a");
    EXPECT_EQ((endings{{1, 1}}), finish(1));
}

TEST_P(rio_queue_test, a_notification_for_nothing_does_no_harm) {
    start();
    const socket one = attach();
    ASSERT_EQ(0, receive(one, 0, 0, 8, 1));
    core_->flush();
    core_->arm();
    ours().notify_for_nothing();
    sleep_once();
    EXPECT_TRUE(core_->has_more()) << "a reason to look";
    EXPECT_EQ(endings{}, reap());
    EXPECT_FALSE(core_->has_more());
    world_->send(one.peer, "a");
    EXPECT_EQ((endings{{1, 1}}), finish(1)) << "it asks again";
}

TEST_P(rio_queue_test, is_read_no_further_than_its_budget) {
    start(/*receives_max=*/4);
    const socket one = attach();
    for (std::uint32_t n = 0; n < 4; ++n) ASSERT_EQ(0, receive(one, 0, n, 1, n));
    core_->flush();
    world_->send(one.peer, "abcd");
    EXPECT_EQ(3u, core_->reap(3));
    EXPECT_TRUE(core_->has_more()) << "so that nobody sleeps on the fourth";
    EXPECT_EQ(1u, core_->reap(3));
    EXPECT_FALSE(core_->has_more());
}

TEST_P(rio_queue_test, a_corrupt_queue_ends_everything_once_and_refuses_the_rest) {
    start();
    const socket one = attach();
    const socket other = attach();
    ASSERT_EQ(0, receive(one, 0, 0, 8, 1));
    ASSERT_EQ(0, receive(one, 1, 0, 8, 2)) << "waits";
    ASSERT_EQ(0, send(other, 2, "ab", 3));
    core_->flush();
    ours().corrupt();
    EXPECT_EQ((endings{{1, -EIO}, {2, -EIO}, {3, -EIO}}), finish(3));
    EXPECT_TRUE(core_->dead());
    EXPECT_NE(std::string::npos, core_->death().find("corrupt")) << core_->death();

    EXPECT_EQ(-EIO, receive(one, 0, 0, 8, 4));
    EXPECT_EQ(-EIO, core_->add_buffer(9, at(0), 1));
    reference id;
    const world::pair more = world_->connect(true);
    EXPECT_EQ(-EIO, core_->attach(more.rio, 0, id));
    peers_.push_back(more.rio);
    EXPECT_EQ(0u, core_->reap(8));
    core_->arm();
    EXPECT_FALSE(core_->has_more());
    EXPECT_TRUE(close(one)) << "a socket can be closed all the same";
    EXPECT_FALSE(core_->shut_down());
    EXPECT_EQ(0u, ours().calls(call::deregister_buffer)) << "the system may still write to it";
    may_be_left_ = true;
}

TEST_P(rio_queue_test, a_completion_that_nobody_asked_for_is_a_corrupt_queue) {
    start();
    const socket one = attach();
    ASSERT_EQ(0, receive(one, 0, 0, 8, 1));
    core_->flush();
    ours().complete_nothing();
    EXPECT_EQ((endings{{1, -EIO}}), reap());
    EXPECT_TRUE(core_->dead());
    may_be_left_ = true;
}

TEST_P(rio_queue_test, a_notification_that_cannot_be_had_is_no_reason_to_sleep_for_ever) {
    start();
    const socket one = attach();
    ASSERT_EQ(0, receive(one, 0, 0, 8, 1));
    core_->flush();
    ours().fail(call::notify, 0);
    core_->arm();
    EXPECT_EQ((endings{{1, -EIO}}), reap());
    EXPECT_EQ("RIONotify failed (10022)", core_->death());
    may_be_left_ = true;
}

TEST_P(rio_queue_test, bytes_of_a_peer_in_another_thread_come_back_whole) {
    start();
    const socket one = attach();
    constexpr std::uint32_t rounds = 2'000;
    std::thread peer([&] {
        for (std::uint32_t n = 0; n < rounds; ++n) {
            std::string text(1 + n % buffer_bytes, static_cast<char>('a' + n % 26));
            world_->send(one.peer, text);
            if (world_->receive(one.peer, text.size()) != text) ADD_FAILURE() << "round " << n;
        }
        world_->end(one.peer);
    });
    for (bool ended = false; !ended;) {
        ASSERT_EQ(0, receive(one, 0, 0, buffer_bytes, 1));
        const std::int32_t bytes = finish(1).at(0).res;
        ended = bytes <= 0;
        if (ended) break;
        told_.times.clear();
        ASSERT_EQ(0, core_->submit(one.id,
                                   {.way = direction::send,
                                    .buffer = 0,
                                    .data = at(0),
                                    .bytes = static_cast<std::uint32_t>(bytes),
                                    .cookie = 2},
                                   last_));
        EXPECT_EQ((endings{{2, bytes}}), finish(1));
        told_.times.clear();
    }
    peer.join();
}

}  // namespace
}  // namespace ioring::rio_tests
