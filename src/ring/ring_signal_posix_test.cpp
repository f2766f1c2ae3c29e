// SPDX-License-Identifier: MIT
// ring_signal_posix_test.cpp - waits end by a signal, on every backend.
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>

#include "ring/ring_test_support.hpp"

namespace ioring::ring_tests {
namespace {

using clock = std::chrono::steady_clock;

std::chrono::milliseconds since(clock::time_point start) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - start);
}

class ring_signal : public each_backend {};
INSTANTIATE_TEST_SUITE_P(backend, ring_signal, testing::ValuesIn(names_here()), backend_of);

std::atomic<ring*> ring_of_handler{nullptr};
std::atomic<int> signals_handled{0};

TEST_P(ring_signal, ends_by_a_signal_with_eintr_and_a_handler_may_wake_it_in_another_thread) {
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = [](int) {
        signals_handled.fetch_add(1);
        if (ring* const target = ring_of_handler.load()) target->wake();
    };
    ASSERT_EQ(0, sigaction(SIGUSR1, &action, &before));

    ring ours = make();
    ASSERT_EQ(0, ours.submit());
    const pthread_t self = pthread_self();
    for (const bool wakes : {false, true}) {
        ring_of_handler = wakes ? &ours : nullptr;
        signals_handled = 0;
        std::atomic<bool> over{false};
        // The signal may come before the wait begins: it is sent until the wait is over.
        std::thread killer{[&over, self] {
            while (!over) {
                pthread_kill(self, SIGUSR1);
                std::this_thread::sleep_for(1ms);
            }
        }};
        const auto start = clock::now();
        int result = 0;
        do {
            result = ours.submit_and_wait(1, patience);
        } while (result == -EINTR && signals_handled == 0);  // io_uring's work interrupts, too.
        over = true;
        killer.join();
        EXPECT_GT(signals_handled, 0);
        EXPECT_LT(since(start), 5s);
        EXPECT_TRUE(result == -EINTR || (wakes && result == 0)) << result;
    }
    ring_of_handler = nullptr;
    sigaction(SIGUSR1, &before, nullptr);
}

}  // namespace
}  // namespace ioring::ring_tests
