// SPDX-License-Identifier: MIT
// stop_signals_posix_test.cpp - a signal is counted, ends a wait, and handlers are put back.
#include "common/stop_signals.hpp"

#include <signal.h>

#include <chrono>

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
    bool wakes() {
        const auto start = std::chrono::steady_clock::now();
        ring_.submit_and_wait(1, 20s);
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
    stop.detach();
}

TEST_F(stop_signals_test, a_signal_before_the_ring_is_attached_is_not_lost) {
    stop_signals stop;
    raise(SIGINT);
    stop.attach(ring_);
    EXPECT_TRUE(wakes());
    stop.detach();
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
