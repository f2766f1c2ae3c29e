// SPDX-License-Identifier: MIT
// thread_test.cpp - a ring has one owner, and everybody may wake it.
#include <sys/eventfd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "backend/uring/uring_test_support.hpp"

namespace ioring::backends::uring {
namespace {

class thread_test : public each_kernel {};
INSTANTIATE_TEST_SUITE_P(kernels, thread_test, testing::ValuesIn(old_kernels()), kernel_name);

template <class Body>
void in_thread(Body body) {
    std::thread(body).join();
}

TEST_P(thread_test, made_in_one_thread_runs_in_another) {
    program ring = make();
    in_thread([&] {
        ring.expect_nop_round_trip();
        EXPECT_EQ(-ETIME, ring.submit_and_wait(1, millisecond_ns));
    });
}

TEST_P(thread_test, what_the_maker_registers_is_there_for_the_owner) {
    program ring = make();
    std::array<std::byte, 4096> memory{};
    kernel_buffer buffer{memory.data(), memory.size()};
    ASSERT_EQ(0, ring->register_(register_op::pin_buffer, &buffer, /*slot=*/3));
    const descriptor event{::eventfd(1, EFD_CLOEXEC)};
    in_thread([&] {
        // A read into the pinned buffer proves that it is pinned.
        sqe entry;
        prep_read_fixed(entry, fd{event.get()}, std::span{memory}.first(8), 0, /*buffer_slot=*/3,
                        1);
        ring.push(entry);
        EXPECT_EQ(8, ring.complete_one().res);
    });
}

TEST_P(thread_test, another_thread_is_refused_and_the_owner_goes_on) {
    program ring = make();
    ring.expect_nop_round_trip();
    in_thread([&] {
        // Also from a thread that has a ring of its own under the same number.
        program own = make();
        own.expect_nop_round_trip();
        ring.push_nop(7);
        EXPECT_EQ(-EEXIST, ring.submit());
        EXPECT_EQ(-EEXIST, ring.submit_and_wait(1));
        std::int32_t none = -1;
        EXPECT_EQ(-EEXIST, ring->register_(register_op::close_now, &none, 0));
        EXPECT_EQ(0U, own.ready());
    });
    EXPECT_EQ(7U, ring.complete_one().user_data);
}

TEST_P(thread_test, a_later_thread_does_not_inherit_a_dead_owner_s_ring) {
    program ring = make();
    in_thread([&] { ring.expect_nop_round_trip(); });
    in_thread([&] { EXPECT_EQ(-EEXIST, ring->enter(0, 0, enter_flag::getevents, no_timeout)); });
    EXPECT_EQ(-EEXIST, ring->enter(0, 0, enter_flag::getevents, no_timeout));
}

TEST_P(thread_test, wake_from_another_thread_ends_a_wait_without_a_time_out) {
    program ring = make();
    ring.arm_wake();
    std::thread waker{[&] {
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
        ring.wake();
    }};
    const int result = ring->enter(0, 1, enter_flag::getevents, no_timeout);
    waker.join();
    EXPECT_EQ(0, result);
}

TEST_P(thread_test, wake_from_another_thread_ends_a_wait_for_many) {
    program ring = make();
    ring.arm_wake();
    std::thread waker{[&] {
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
        ring.wake();
    }};
    ring.push_nop(1);
    // One has come, a second never will.
    const int result = ring->enter(1, 8, enter_flag::getevents, no_timeout);
    waker.join();
    EXPECT_EQ(1, result);
    for (const cqe& done : ring.reap()) {
        EXPECT_TRUE(done.user_data == 1 || done.user_data == reserved_user_data);
    }
}

TEST_P(thread_test, what_was_done_before_a_wake_is_seen_after_the_wait) {
    program ring = make();
    ring.arm_wake();
    constexpr int rounds = 300;
    int message = 0;  // Not atomic: the wake orders it.
    std::atomic<int> read_until{0};
    std::thread waker{[&] {
        for (int i = 1; i <= rounds; ++i) {
            message = i;
            ring.wake();
            while (read_until.load(std::memory_order_acquire) < i) std::this_thread::yield();
        }
    }};
    int seen = 0;
    while (seen < rounds) {
        const int result = ring.submit_and_wait(1);
        if (result == -ETIME) break;  // Lost.
        for (const cqe& done : ring.reap()) ASSERT_EQ(reserved_user_data, done.user_data);
        // A completion of the poll alone is no proof of a new message: the flag is.
        if (result == 0 && message != seen) {
            ASSERT_EQ(seen + 1, message);
            seen = message;
            read_until.store(seen, std::memory_order_release);
        }
    }
    EXPECT_EQ(rounds, seen);
    read_until.store(rounds, std::memory_order_release);
    waker.join();
}

TEST_P(thread_test, no_wake_of_many_threads_is_lost) {
    program ring = make();
    ring.arm_wake();
    constexpr int threads = 3;
    constexpr int wakes = 200;
    std::atomic<int> posted{0};
    std::vector<std::thread> wakers;
    for (int i = 0; i < threads; ++i) {
        wakers.emplace_back([&] {
            for (int n = 0; n < wakes; ++n) {
                posted.fetch_add(1, std::memory_order_relaxed);
                ring.wake();
            }
        });
    }
    // Ends only if the wake after the last post is never missed.
    while (posted.load(std::memory_order_relaxed) < threads * wakes) {
        const int result = ring.submit_and_wait(1);
        ASSERT_TRUE(result >= 0 || result == -EINTR) << result;
        ring.reap();
    }
    for (std::thread& waker : wakers) waker.join();
}

TEST_P(thread_test, numbers_of_rings_that_died_in_another_thread_come_back) {
    const bool has_numbers = make()->probe().has(feature::registered_ring);
    for (int i = 0; i < 40; ++i) {
        // 16 at a time is all that a thread has.
        auto ring = std::make_unique<program>(make());
        ring->expect_nop_round_trip();
        EXPECT_EQ(has_numbers, (*ring)->probe().has(feature::registered_ring)) << i;
        in_thread([&] { ring.reset(); });
    }
}

TEST_P(thread_test, more_rings_than_numbers_in_a_thread_do_without) {
    std::vector<program> rings;
    for (int i = 0; i < 20; ++i) rings.push_back(make());
    std::size_t with_number = 0;
    for (int round = 0; round < 2; ++round) {
        with_number = 0;
        for (program& ring : rings) {
            ring.expect_nop_round_trip();
            if (ring->probe().has(feature::registered_ring)) ++with_number;
        }
    }
    EXPECT_LE(with_number, 16U);
    if (make()->probe().has(feature::registered_ring)) {
        EXPECT_EQ(16U, with_number);
    }
}

TEST_P(thread_test, a_ring_that_never_ran_is_destroyed_anywhere) {
    auto ring = std::make_unique<program>(make());
    in_thread([&] { ring.reset(); });
}

TEST(setup_thread_test, threads_that_are_first_at_once_all_get_a_ring) {
    // Run alone, as ctest does, they find out together what the kernel can do.
    std::vector<std::thread> threads;
    std::atomic<int> made{0};
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            program ring = make_program();
            ring.expect_nop_round_trip();
            made.fetch_add(1);
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(4, made.load());
}

}  // namespace
}  // namespace ioring::backends::uring
