// SPDX-License-Identifier: MIT
// wait_test.cpp - what ends a wait: enough completions, time, a signal; and what does not.
#include <pthread.h>

#include <csignal>

#include <atomic>
#include <thread>

#include "entries.hpp"

namespace ioring::conformance {
namespace {

using clock = std::chrono::steady_clock;

class wait_test : public backend_test {
protected:
    std::array<std::byte, 16> buffer_{};
};
INSTANTIATE_TEST_SUITE_P(backend, wait_test, every_prompt_backend(), backend_name);

TEST_P(wait_test, ends_when_its_time_is_over_with_nothing_in_flight) {
    const auto start = clock::now();
    EXPECT_EQ(0, wait_through(ring_, 1, 30ms));
    EXPECT_GE(since(start), 29ms);
    EXPECT_LT(since(start), 5s);
}

TEST_P(wait_test, ends_when_its_time_is_over_with_an_operation_in_flight) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_recv(ours.fd(), buffer_, 1);
    ASSERT_EQ(1, ring_.submit());
    const auto start = clock::now();
    EXPECT_EQ(0, wait_through(ring_, 1, 30ms));
    EXPECT_GE(since(start), 29ms);
    EXPECT_EQ(0U, ring_.completion_queue_count());
    EXPECT_EQ(1U, ring_.in_flight());
}

TEST_P(wait_test, shorter_than_a_millisecond_is_not_rounded_to_nothing) {
    const auto start = clock::now();
    for (int round = 0; round < 10; ++round) EXPECT_EQ(0, wait_through(ring_, 1, 500us));
    EXPECT_GE(clock::now() - start, 5ms);
    EXPECT_LT(since(start), 5s);
}

TEST_P(wait_test, of_no_time_does_not_wait) {
    const auto start = clock::now();
    EXPECT_EQ(0, wait_through(ring_, 1, 0ns));
    EXPECT_EQ(0, ring_.submit_and_wait(0, ring::forever));
    EXPECT_LT(since(start), 5s);
}

TEST_P(wait_test, ends_with_the_completion_it_waits_for) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_recv(ours.fd(), buffer_, 1);
    ASSERT_EQ(1, ring_.submit());
    ASSERT_TRUE(send_all(theirs, "x"));
    const auto start = clock::now();
    EXPECT_EQ(0, wait_through(ring_, 1, patience));
    EXPECT_LT(since(start), 5s);
    EXPECT_EQ(1U, ring_.completion_queue_count());
}

TEST_P(wait_test, for_several_goes_on_until_there_are_so_many) {
    std::array<socket_pair, 3> pairs;
    for (std::size_t each = 0; each < pairs.size(); ++each) {
        pairs[each] = connected_pair();
        ring_.prepare_recv(pairs[each].ours.fd(), buffer_, each);
    }
    ASSERT_EQ(3, ring_.submit());
    ASSERT_TRUE(send_all(pairs[0].theirs, "x"));
    ASSERT_TRUE(send_all(pairs[1].theirs, "x"));
    const auto start = clock::now();
    EXPECT_EQ(0, wait_through(ring_, 3, 40ms));
    EXPECT_GE(since(start), 39ms);
    EXPECT_EQ(2U, ring_.completion_queue_count());
    ASSERT_TRUE(send_all(pairs[2].theirs, "x"));
    EXPECT_EQ(0, wait_through(ring_, 3, patience));
    EXPECT_EQ(3U, ring_.completion_queue_count());
    EXPECT_LT(since(start), 5s);
}

TEST_P(wait_test, for_what_is_there_already_does_not_wait) {
    prep_nop(next_sqe(), 1);
    prep_nop(next_sqe(), 2);
    EXPECT_EQ(2, wait_through(ring_, 2, patience));
    const auto start = clock::now();
    EXPECT_EQ(0, wait_through(ring_, 2, patience));
    EXPECT_LT(since(start), 5s);
    EXPECT_EQ(2U, complete(2).size());
}

TEST_P(wait_test, counts_what_is_unread_from_before) {
    const auto [ours, theirs] = connected_pair();
    prep_nop(next_sqe(), 1);
    EXPECT_EQ(1, wait_through(ring_, 1, patience));
    ring_.prepare_recv(ours.fd(), buffer_, 2);
    ASSERT_EQ(1, ring_.submit());
    ASSERT_TRUE(send_all(theirs, "x"));
    const auto start = clock::now();
    EXPECT_EQ(0, wait_through(ring_, 2, patience));
    EXPECT_LT(since(start), 5s);
    EXPECT_EQ(2U, ring_.completion_queue_count());
}

TEST_P(wait_test, for_more_than_the_queue_holds_ends_when_it_is_full) {
    const std::uint32_t count = ring_.submission_queue_space();
    for (std::uint32_t each = 0; each < count; ++each) prep_nop(next_sqe(), each);
    const auto start = clock::now();
    EXPECT_EQ(static_cast<int>(count), wait_through(ring_, ~0U, 30ms));
    EXPECT_LT(since(start), 5s);
    EXPECT_EQ(count, ring_.completion_queue_count());
}

TEST_P(wait_test, returns_how_many_it_submitted_also_when_the_time_ends) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_recv(ours.fd(), buffer_, 1);
    prep_nop(next_sqe(), 2);
    EXPECT_EQ(2, wait_through(ring_, 2, 20ms));
    EXPECT_EQ(1U, ring_.completion_queue_count());
}

TEST_P(wait_test, ends_with_a_timeout_operation) {
    const kernel_timespec length = time_of(20ms);
    const auto start = clock::now();
    ring_.prepare_timeout(&length, 1);
    ASSERT_EQ(1, ring_.submit());
    EXPECT_EQ(0, wait_through(ring_, 1, patience));
    EXPECT_GE(since(start), 19ms);
    EXPECT_LT(since(start), 5s);
    EXPECT_EQ(-ETIME, complete_one(1).res);
}

TEST_P(wait_test, ends_when_a_thread_makes_something_ready) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_recv(ours.fd(), buffer_, 1);
    ASSERT_EQ(1, ring_.submit());
    std::thread sender{[number = theirs.number()] {
        // Most likely the wait has begun by then; either way it must end.
        std::this_thread::sleep_for(5ms);
        EXPECT_EQ(1, plain::send(number, "x", 1));
    }};
    const auto start = clock::now();
    EXPECT_EQ(0, wait_through(ring_, 1, patience));
    EXPECT_LT(since(start), 5s);
    sender.join();
    EXPECT_EQ(1, complete_one(1).res);
}

#if defined(SIGUSR1)
std::atomic<int> signals{0};

TEST_P(wait_test, ends_with_eintr_by_a_signal_of_a_thread) {
    struct sigaction count {};
    struct sigaction before {};
    count.sa_handler = [](int) { signals.fetch_add(1); };
    ASSERT_EQ(0, ::sigaction(SIGUSR1, &count, &before));
    signals = 0;
    ASSERT_EQ(0, ring_.submit());
    std::atomic<bool> ended{false};
    std::thread sender{[&ended, owner = ::pthread_self()] {
        while (!ended) {  // One may come before the wait has begun.
            ::pthread_kill(owner, SIGUSR1);
            std::this_thread::sleep_for(2ms);
        }
    }};
    int result = 0;
    do {
        result = ring_.submit_and_wait(1, patience);
        // io_uring's own work and a faulty poller interrupt without a signal, too.
    } while (result == -EINTR && signals == 0);
    ended = true;
    sender.join();
    ::sigaction(SIGUSR1, &before, nullptr);
    EXPECT_EQ(-EINTR, result);
    expect_nothing();
}
#endif

}  // namespace
}  // namespace ioring::conformance
