// SPDX-License-Identifier: MIT
// wake_test.cpp - reaching a ring from other threads and from signal handlers.
#include <csignal>

#include <thread>

#include "entries.hpp"

namespace ioring::conformance {
namespace {

using clock = std::chrono::steady_clock;

class wake_test : public backend_test {
protected:
    std::array<std::byte, 16> buffer_{};
};
INSTANTIATE_TEST_SUITE_P(backend, wake_test, every_backend(), backend_name);

TEST_P(wake_test, of_another_thread_ends_the_wait_and_completes_nothing) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_recv(ours.fd(), buffer_, 1);
    ASSERT_EQ(1, ring_.submit());
    const auto start = clock::now();
    for (int round = 0; round < 20; ++round) {
        std::thread waker{[&] { ring_.wake(); }};
        EXPECT_EQ(0, wait_through(ring_, 1, patience));
        waker.join();
        EXPECT_EQ(0U, ring_.completion_queue_count());
    }
    EXPECT_LT(since(start), 5s);
    ASSERT_TRUE(send_all(theirs, "x"));
    EXPECT_EQ(1, complete_one(1).res);
}

TEST_P(wake_test, before_the_wait_ends_it_and_only_it) {
    for (int round = 0; round < 3; ++round) {
        for (int each = 0; each < 10; ++each) ring_.wake();
        const auto start = clock::now();
        EXPECT_EQ(0, wait_through(ring_, 1, patience));
        EXPECT_LT(since(start), 5s);
        const auto second = clock::now();
        EXPECT_EQ(0, wait_through(ring_, 1, 20ms));
        EXPECT_GE(since(second), 19ms);
    }
}

TEST_P(wake_test, ends_a_wait_for_many) {
    prep_nop(next_sqe(), 1);
    ASSERT_EQ(1, wait_through(ring_, 1, patience));
    ring_.wake();
    const auto start = clock::now();
    EXPECT_EQ(0, wait_through(ring_, 50, patience));
    EXPECT_LT(since(start), 5s);
    EXPECT_EQ(0, complete_one(1).res);
}

TEST_P(wake_test, of_threads_that_race_with_waits_is_never_missed) {
    constexpr int rounds = 200;
    std::atomic<int> asked{0};
    std::atomic<int> answered{0};
    std::thread waker{[&] {
        for (int round = 1; round <= rounds; ++round) {
            asked = round;
            ring_.wake();
            while (answered < round) std::this_thread::yield();
        }
    }};
    const auto end = clock::now() + patience;
    while (answered < rounds && clock::now() < end) {
        EXPECT_LE(0, wait_through(ring_, 1, patience));
        answered = asked.load();
    }
    EXPECT_EQ(rounds, answered);
    answered = rounds;
    waker.join();
}

TEST_P(wake_test, posts_of_a_thread_arrive_in_their_order) {
    constexpr int count = 500;
    std::thread poster{[&] {
        for (int each = 0; each < count;) {
            if (ring_.post(/*user_data=*/7, each)) {
                ++each;
            } else {
                std::this_thread::yield();
            }
        }
    }};
    int expected = 0;
    for (const cqe& done : complete(count)) {
        EXPECT_EQ(7U, done.user_data);
        EXPECT_EQ(expected++, done.res);
    }
    poster.join();
    expect_nothing();
}

TEST_P(wake_test, posts_mix_with_completions_and_none_is_lost_with_threads) {
    const auto [ours, theirs] = connected_pair();
    constexpr int count = 100;
    std::thread poster{[&] {
        for (int each = 0; each < count; ++each) EXPECT_TRUE(ring_.post(7, each));
    }};
    int posts = 0;
    int received = 0;
    ring_.prepare_recv(ours.fd(), buffer_, 1);
    ASSERT_TRUE(send_all(theirs, "x"));
    const auto end = clock::now() + patience;
    while ((posts < count || received < count) && clock::now() < end) {
        ASSERT_LE(0, wait_through(ring_, 1, 100ms));
        for (const cqe& done : ring_.completions()) {
            if (done.user_data == 7) {
                EXPECT_EQ(posts++, done.res);
                continue;
            }
            EXPECT_EQ(1, done.res);
            if (++received == count) continue;
            ring_.prepare_recv(ours.fd(), buffer_, 1);
            ASSERT_TRUE(send_all(theirs, "x"));
        }
    }
    EXPECT_EQ(count, posts);
    EXPECT_EQ(count, received);
    poster.join();
}

#if defined(SIGUSR2)
ring* ring_of_handler = nullptr;

TEST_P(wake_test, a_signal_handler_may_wake_and_post) {
    struct sigaction handle {};
    struct sigaction before {};
    handle.sa_handler = [](int) {
        ring_of_handler->wake();
        (void)ring_of_handler->post(9, 42);
    };
    ring_of_handler = &ring_;
    ASSERT_EQ(0, ::sigaction(SIGUSR2, &handle, &before));
    ASSERT_EQ(0, ring_.submit());
    ASSERT_EQ(0, ::raise(SIGUSR2));
    EXPECT_EQ(42, complete_one(9).res);
    ::sigaction(SIGUSR2, &before, nullptr);
    ring_of_handler = nullptr;
    expect_nothing();
}
#endif

}  // namespace
}  // namespace ioring::conformance
