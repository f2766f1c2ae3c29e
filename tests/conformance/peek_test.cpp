// SPDX-License-Identifier: MIT
// peek_test.cpp - a program that never waits and only peeks makes progress all the same.
#include "entries.hpp"

namespace ioring::conformance {
namespace {

class peek_test : public backend_test {
protected:
    // Peeks until there is one.
    cqe peek_one() {
        std::array<cqe, 1> one;
        const auto end = std::chrono::steady_clock::now() + patience;
        while (std::chrono::steady_clock::now() < end) {
            if (ring_.peek_completions(one) == 0) continue;
            ring_.advance_completion_queue(1);
            return one[0];
        }
        ADD_FAILURE() << "peeking makes no progress";
        return {.res = -ETIMEDOUT};
    }

    std::array<std::byte, 16> buffer_{};
};
INSTANTIATE_TEST_SUITE_P(backend, peek_test, every_prompt_backend(), backend_name);

TEST_P(peek_test, alone_completes_a_recv_that_was_parked) {
    const auto [ours, theirs] = connected_pair();
    for (std::uint64_t round = 0; round < 10; ++round) {
        ring_.prepare_recv(ours.fd(), buffer_, round);
        ASSERT_EQ(1, ring_.submit());
        std::array<cqe, 1> none;
        EXPECT_EQ(0U, ring_.peek_completions(none));
        ASSERT_TRUE(send_all(theirs, "x"));
        const cqe done = peek_one();
        EXPECT_EQ(round, done.user_data);
        EXPECT_EQ(1, done.res);
    }
}

TEST_P(peek_test, alone_ends_timeouts) {
    const kernel_timespec length = time_of(5ms);
    ring_.prepare_timeout(&length, 1);
    ASSERT_EQ(1, ring_.submit());
    EXPECT_EQ(-ETIME, peek_one().res);
}

TEST_P(peek_test, alone_accepts_and_connects) {
    const plain_listener listener = listen_on("127.0.0.1:0");
    const socket_end client = open_stream(address_family::ipv4);
    ring_.prepare_accept(listener.socket.fd(), 1);
    ASSERT_EQ(1, ring_.submit());
    ring_.prepare_connect(client.fd(), listener.address, 2);
    ASSERT_EQ(1, ring_.submit());
    const std::vector<cqe> all{peek_one(), peek_one()};
    EXPECT_EQ(0, result_of(all, 2));
    const socket_end accepted{result_of(all, 1)};
    EXPECT_LE(0, accepted.number());
}

TEST_P(peek_test, alone_goes_on_with_a_multishot_poll) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_poll_multishot(ours.fd(), poll_event::in, 1);
    ASSERT_EQ(1, ring_.submit());
    for (int round = 0; round < 5; ++round) {
        ASSERT_TRUE(send_all(theirs, "x"));
        const cqe done = peek_one();
        EXPECT_LT(0, done.res);
        EXPECT_TRUE(done.more());
        EXPECT_EQ("x", receive(ours, 1));
        // D5: `poll` must see that it is gone; what it told meanwhile is a duplicate.
        std::array<cqe, 4> duplicates;
        for (int look = 0; look < 3; ++look) {
            ring_.advance_completion_queue(ring_.peek_completions(duplicates));
        }
    }
}

TEST_P(peek_test, does_not_consume_until_told_to) {
    prep_nop(next_sqe(), 1);
    prep_nop(next_sqe(), 2);
    ASSERT_EQ(2, ring_.submit_and_wait(2, patience));
    std::array<cqe, 4> some;
    EXPECT_EQ(2U, ring_.peek_completions(some));
    EXPECT_EQ(2U, ring_.peek_completions(some));
    ring_.advance_completion_queue(1);
    EXPECT_EQ(1U, ring_.peek_completions(some));
    EXPECT_EQ(2U, some[0].user_data);
    ring_.advance_completion_queue(100);  // More than there are: cut.
    EXPECT_EQ(0U, ring_.completion_queue_count());
}

}  // namespace
}  // namespace ioring::conformance
