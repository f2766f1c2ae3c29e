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
    constexpr std::uint32_t slot = 3;
    ASSERT_EQ(0, ring->register_(register_op::pin_buffer, &buffer, slot));
    const descriptor event{::eventfd(1, EFD_CLOEXEC)};
    in_thread([&] {
        // A read into the pinned buffer proves that it is pinned.
        sqe entry;
        prep_read_fixed(entry, fd{event.get()}, std::span{memory}.first(8), 0, slot, 1);
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

TEST_P(thread_test, a_ping_pong_of_wakes_never_sticks) {
    program ring = make();
    ring.arm_wake();
    constexpr int rounds = 300;
    std::atomic<int> message{0};
    std::atomic<int> read_until{0};
    std::thread waker{[&] {
        for (int i = 1; i <= rounds; ++i) {
            message.store(i, std::memory_order_relaxed);
            ring.wake();
            while (read_until.load(std::memory_order_relaxed) < i) std::this_thread::yield();
        }
    }};
    // Now and then a wait ends without a message: the poll's completion may follow its wake.
    for (int seen = 0; seen < rounds;) {
        if (ring.submit_and_wait(1) == -ETIME) {
            ADD_FAILURE() << "the wake of message " << seen + 1 << " was lost";
            read_until.store(rounds, std::memory_order_relaxed);
            break;
        }
        for (const cqe& done : ring.reap()) EXPECT_EQ(reserved_user_data, done.user_data);
        seen = message.load(std::memory_order_relaxed);
        read_until.store(seen, std::memory_order_relaxed);
    }
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
        // A poll that finds the queue full ends: the ring arms it again.
        for (const cqe& done : ring.reap()) {
            if (!done.more()) ring.arm_wake();
        }
    }
    for (std::thread& waker : wakers) waker.join();
}

TEST_P(thread_test, numbers_of_rings_that_died_come_back) {
    // A thread of our own, because it has 16 numbers and no more.
    in_thread([&] {
        const bool has_numbers = make()->probe().has(feature::registered_ring);
        for (int i = 0; i < 40; ++i) {
            auto ring = std::make_unique<program>(make());
            ring->expect_nop_round_trip();
            EXPECT_EQ(has_numbers, (*ring)->probe().has(feature::registered_ring)) << i;
            // In this thread and in another.
            if (i % 2 == 0) in_thread([&] { ring.reset(); });
        }
    });
}

TEST_P(thread_test, more_rings_than_numbers_in_a_thread_do_without) {
    in_thread([&] {
        std::vector<program> rings;
        for (int i = 0; i < 20; ++i) {
            rings.push_back(make());
            rings.back().expect_nop_round_trip();
        }
        std::size_t with_number = 0;
        for (program& ring : rings) {
            ring.expect_nop_round_trip();
            if (ring->probe().has(feature::registered_ring)) ++with_number;
        }
        const bool hidden = (GetParam().mask.enter_flags & enter_bit::registered_ring) != 0;
        EXPECT_EQ(hidden ? 0U : 16U, with_number);
    });
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
