// SPDX-License-Identifier: MIT
// stop_signals_posix_test.cpp - a signal is counted, ends a wait, and handlers are put back.
#include "common/stop_signals.hpp"

#include <signal.h>

#include <atomic>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

namespace ioring::tools {
namespace {

using namespace std::chrono_literals;

class stop_signals_test : public testing::Test {
protected:
    void SetUp() override {
        std::string why;
        ASSERT_FALSE(ring::create({.sq_entries = 8, .connections_max = 1}, ring_, &why)) << why;
    }

    // Whether a wait of up to 20 s ends at once.
    bool wakes() { return wakes(ring_); }
    static bool wakes(ring& which) {
        const auto start = std::chrono::steady_clock::now();
        which.submit_and_wait(1, 20s);
        return std::chrono::steady_clock::now() - start < 10s;
    }

    ring ring_;
};

TEST_F(stop_signals_test, a_signal_counts_and_ends_the_wait) {
    stop_signals stop;
    stop.attach(ring_);
    EXPECT_FALSE(stop.requested());
    raise(SIGTERM);
    EXPECT_TRUE(stop.requested());
    EXPECT_TRUE(wakes());
    raise(SIGINT);
    EXPECT_EQ(2, stop.count());
    stop.detach(ring_);
}

TEST_F(stop_signals_test, a_signal_before_the_ring_is_attached_is_not_lost) {
    stop_signals stop;
    raise(SIGINT);
    stop.attach(ring_);
    EXPECT_TRUE(wakes());
    stop.detach(ring_);
}

TEST_F(stop_signals_test, every_attached_ring_is_woken_and_no_other) {
    ring other;
    ASSERT_FALSE(ring::create({.sq_entries = 8, .connections_max = 1}, other));
    stop_signals stop;
    stop.attach(ring_);
    stop.attach(other);
    raise(SIGTERM);
    EXPECT_TRUE(wakes());
    EXPECT_TRUE(wakes(other));
    stop.detach(other);
    stop.request();
    EXPECT_EQ(2, stop.count());
    EXPECT_TRUE(wakes());
    EXPECT_EQ(0, other.submit_and_wait(1, 1ms));
    EXPECT_EQ(1u, other.counters().wakes) << "by the signal, before it was detached";
    stop.detach(ring_);
}

TEST_F(stop_signals_test, a_ring_may_be_detached_and_destroyed_while_another_thread_gets_signals) {
    stop_signals stop;
    std::atomic<bool> over{false};
    std::thread signalled{[&] {
        while (!over) stop.request();
    }};
    for (int round = 0; round < 200; ++round) {
        ring made;
        ASSERT_FALSE(ring::create({.sq_entries = 8, .connections_max = 1}, made));
        stop.attach(made);
        stop.detach(made);
    }
    over = true;
    signalled.join();
}

TEST_F(stop_signals_test, the_handlers_that_were_there_come_back) {
    struct sigaction before {};
    sigaction(SIGINT, nullptr, &before);
    {
        const stop_signals stop;
        struct sigaction meanwhile {};
        sigaction(SIGINT, nullptr, &meanwhile);
        EXPECT_NE(before.sa_handler, meanwhile.sa_handler);
    }
    struct sigaction after {};
    sigaction(SIGINT, nullptr, &after);
    EXPECT_EQ(before.sa_handler, after.sa_handler);
}

}  // namespace
}  // namespace ioring::tools
