// SPDX-License-Identifier: MIT
// ring_wait_test.cpp - waits end by completions, time, wake or post, on every backend.
#include <atomic>
#include <cerrno>
#include <thread>

#include "ring/ring_test_support.hpp"

namespace ioring::ring_tests {
namespace {

class ring_wait : public each_backend {
protected:
    using clock = std::chrono::steady_clock;

    static std::chrono::milliseconds since(clock::time_point start) {
        return std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - start);
    }
};
INSTANTIATE_TEST_SUITE_P(backend, ring_wait, testing::ValuesIn(names_here()), backend_of);

// Design section 5: no timed wait.
TEST_P(ring_wait, ends_when_its_time_is_over_with_nothing_in_flight) {
    ring ours = make();
    const auto start = clock::now();
    EXPECT_EQ(0, wait_on(ours, 1, 50ms));
    EXPECT_GE(since(start), 49ms);
    EXPECT_LT(since(start), 5s);
    EXPECT_EQ(0U, ours.completion_queue_count());
}

TEST_P(ring_wait, of_no_time_does_not_wait) {
    ring ours = make();
    const auto start = clock::now();
    EXPECT_EQ(0, ours.submit_and_wait(1, 0ns));
    EXPECT_EQ(0, ours.submit_and_wait(1, -5s));
    EXPECT_LT(since(start), 5s);
}

TEST_P(ring_wait, returns_what_it_submitted_also_when_the_time_ends) {
    ring ours = make();
    ASSERT_NE(nullptr, ours.prepare_nop(1));
    EXPECT_EQ(1, wait_on(ours, 3, 20ms));
    EXPECT_EQ(1U, ours.completion_queue_count());
}

// Design section 5: no wake-up from another thread.
TEST_P(ring_wait, ends_by_wake_from_another_thread) {
    ring ours = make();
    ASSERT_EQ(0, ours.submit());  // This thread owns it.
    for (int round = 0; round < 20; ++round) {
        std::thread waker{[&ours] { ours.wake(); }};
        EXPECT_EQ(0, wait_on(ours, 1, patience));
        waker.join();
        EXPECT_EQ(0U, ours.completion_queue_count());
    }
    EXPECT_EQ(20U, ours.counters().wakes);
    EXPECT_EQ(0U, ours.in_flight());
}

TEST_P(ring_wait, for_many_ends_by_one_wake_of_another_thread_too) {
    ring ours = make();
    ASSERT_NE(nullptr, ours.prepare_nop(1));
    ASSERT_EQ(1, wait_on(ours, 1, patience));
    const auto start = clock::now();
    std::thread waker{[&ours] { ours.wake(); }};
    EXPECT_EQ(0, wait_on(ours, 40, patience));
    waker.join();
    EXPECT_LT(since(start), 5s);
    EXPECT_EQ(1U, ours.completion_queue_count());
}

TEST_P(ring_wait, wakes_before_a_wait_coalesce_and_end_just_that_one) {
    ring ours = make();
    for (int round = 0; round < 3; ++round) {
        for (int call = 0; call < 100; ++call) ours.wake();
        EXPECT_EQ(0, wait_on(ours, 1, patience));
        const auto start = clock::now();
        EXPECT_EQ(0, wait_on(ours, 1, 30ms));
        EXPECT_GE(since(start), 29ms);
    }
}

TEST_P(ring_wait, posts_of_threads_all_arrive_once_and_in_each_threads_order) {
    constexpr std::uint64_t each = 20'000;
    constexpr std::uint64_t threads = 3;
    ring ours = make({.sq_entries = 64, .connections_max = 1, .posts_max = 256});
    ASSERT_EQ(0, ours.submit());
    std::vector<std::thread> posters;
    for (std::uint64_t thread = 0; thread < threads; ++thread) {
        posters.emplace_back([&ours, thread] {
            for (std::uint64_t index = 0; index < each;) {
                if (ours.post((thread << 32U) | index, static_cast<std::int32_t>(index))) {
                    ++index;
                } else {
                    std::this_thread::yield();
                }
            }
        });
    }
    std::array<std::uint64_t, threads> next{};
    std::uint64_t seen = 0;
    const auto end = clock::now() + patience;
    while (seen < each * threads && clock::now() < end) {
        ASSERT_GE(wait_on(ours, 1, 1s), 0);
        for (const cqe& done : ours.completions()) {
            const std::uint64_t thread = done.user_data >> 32U;
            ASSERT_LT(thread, threads);
            ASSERT_EQ(next[thread], done.user_data & 0xffff'ffffU);
            ASSERT_EQ(static_cast<std::int32_t>(next[thread]), done.res);
            ++next[thread];
            ++seen;
        }
    }
    for (std::thread& poster : posters) poster.join();
    EXPECT_EQ(each * threads, seen);
    EXPECT_EQ(seen, ours.counters().posted);
    EXPECT_EQ(0U, ours.completion_queue_count());
}

TEST_P(ring_wait, a_full_post_queue_refuses_and_takes_again_when_read) {
    ring ours = make({.sq_entries = 64, .connections_max = 1, .posts_max = 4});
    std::uint64_t posted = 0;
    while (ours.post(posted + 1, 0)) ++posted;
    EXPECT_EQ(4U, posted);
    EXPECT_FALSE(ours.post(reserved_user_data, 0));
    EXPECT_EQ(4U, ours.completion_queue_count());
    EXPECT_EQ(1U, complete_one(ours).user_data);
    EXPECT_TRUE(ours.post(5, 0));
    EXPECT_FALSE(ours.post(6, 0));
    std::uint64_t expected = 2;
    for (const cqe& done : ours.completions()) EXPECT_EQ(expected++, done.user_data);
    EXPECT_EQ(6U, expected);
}

TEST_P(ring_wait, posts_and_completions_mix_in_peek_and_advance) {
    ring ours = make();
    ASSERT_NE(nullptr, ours.prepare_nop(1));
    ASSERT_EQ(1, wait_on(ours, 1, patience));
    ASSERT_TRUE(ours.post(2, -7));
    std::array<cqe, 4> seen{};
    ASSERT_EQ(2U, ours.peek_completions(seen));
    EXPECT_EQ(-7, with_user_data({seen.begin(), seen.begin() + 2}, 2).res);
    EXPECT_EQ(2U, ours.completion_queue_count());
    ours.advance_completion_queue(1);
    EXPECT_EQ(1U, ours.completion_queue_count());
    ours.advance_completion_queue(1);
    EXPECT_EQ(0U, ours.peek_completions(seen));
}

// A multishot poll that finds the completion queue full ends, and wakes must reach a wait again.
TEST_P(ring_wait, ends_by_a_wake_of_a_thread_after_the_queue_has_overflowed) {
    ring ours = make({.sq_entries = 8, .cq_entries = 8, .connections_max = 1});
    ASSERT_EQ(0, wait_on(ours, 1, 1ms));
    for (int round = 0; round < 20; ++round) {
        for (std::uint64_t tag = 1; tag <= 8; ++tag) {
            ASSERT_TRUE(ours.reserve(1));
            ASSERT_NE(nullptr, ours.prepare_nop(tag));
        }
        ASSERT_GE(ours.submit(), 0);
        ASSERT_GE(ours.completion_queue_count(), 7U);  // One place may hold the library's own.
        ours.wake();
        // The queue is full while this enter looks at what the wake has made ready.
        ASSERT_NE(nullptr, ours.prepare_nop(9));
        ASSERT_GE(wait_on(ours, 1, patience), -EBUSY);
        std::uint64_t seen = 0;
        while (ours.in_flight() > 0 && seen < 100) {
            ASSERT_GE(wait_on(ours, 1, patience), -EBUSY);
            for (const cqe& done : ours.completions()) seen += done.user_data > 0 ? 1 : 0;
        }
        EXPECT_EQ(0U, ours.in_flight());
        EXPECT_GE(wait_on(ours, 1, 1ms), 0);
        const auto start = clock::now();
        std::thread waker{[&ours] {
            std::this_thread::sleep_for(2ms);  // Rather in the wait than before it.
            ours.wake();
        }};
        EXPECT_GE(wait_on(ours, 1, 5s), 0);
        waker.join();
        ASSERT_LT(since(start), 4s);
    }
}

TEST_P(ring_wait, belongs_to_the_thread_of_its_first_submit) {
    ring ours = make();  // Made here, owned there.
    int first = -1;
    std::thread owner{[&] {
        (void)ours.prepare_nop(1);
        first = wait_on(ours, 1, patience);
    }};
    owner.join();
    EXPECT_EQ(1, first);
    EXPECT_EQ(-EEXIST, ours.submit());
    EXPECT_EQ(-EEXIST, wait_on(ours, 1, patience));
}

TEST_P(ring_wait, spinning_finds_what_comes_and_sleeps_in_the_end) {
    ring ours = make({.sq_entries = 64, .connections_max = 1, .spin = 1ms});
    ASSERT_NE(nullptr, ours.prepare_nop(3));
    EXPECT_EQ(1, wait_on(ours, 1, patience));
    EXPECT_EQ(3U, complete_one(ours).user_data);
    const auto start = clock::now();
    EXPECT_EQ(0, wait_on(ours, 1, 30ms));
    EXPECT_GE(since(start), 29ms);
    std::thread poster{[&ours] { EXPECT_TRUE(ours.post(4, 5)); }};
    EXPECT_EQ(4U, complete_one(ours).user_data);
    poster.join();
}

// Design section 5: no timers.
TEST(ring_timer, fires_updates_and_is_removed) {
    ring ours = make_ring({.sq_entries = 64, .connections_max = 1});
    const kernel_timespec soon{.tv_nsec = 20'000'000};
    const kernel_timespec late{.tv_sec = 100};
    ASSERT_NE(nullptr, ours.prepare_timeout(&soon, 1));
    ASSERT_NE(nullptr, ours.prepare_timeout(&late, 2));
    ASSERT_NE(nullptr, ours.prepare_timeout(&late, 3));
    EXPECT_EQ(-ETIME, complete_one(ours).res);
    ASSERT_NE(nullptr, ours.prepare_timeout_remove(2, 4));
    ASSERT_NE(nullptr, ours.prepare_timeout_update(&soon, 3, 5));
    const std::vector<cqe> all = complete(ours, 4);
    EXPECT_EQ(-ECANCELED, with_user_data(all, 2).res);
    EXPECT_EQ(-ETIME, with_user_data(all, 3).res);
    EXPECT_EQ(0, with_user_data(all, 4).res);
    EXPECT_EQ(0, with_user_data(all, 5).res);
}

}  // namespace
}  // namespace ioring::ring_tests
