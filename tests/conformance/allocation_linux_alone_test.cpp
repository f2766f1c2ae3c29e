// SPDX-License-Identifier: MIT
// allocation_linux_alone_test.cpp - no backend allocates once as much was in flight as ever will.
//
// Of this whole test program operator new counts (support/allocation_counter.hpp).
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ioring/buffer_group.hpp"
#include "ioring/ring.hpp"
#include "support/allocation_counter.hpp"

namespace ioring {
namespace {

using test_support::allocation_count;
using namespace std::chrono_literals;

constexpr kernel_timespec an_hour{.tv_sec = 3600, .tv_nsec = 0};
constexpr int warm_up = 20;
constexpr int rounds = 100;

std::vector<std::string> backends_under_test() {
    std::vector<std::string> names;
    for (const std::string_view each : backend_names()) {
        if (each != "null") names.emplace_back(each);
    }
    return names;
}

class steady_state : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        std::string why;
        const std::error_code error = ring::create(
            {.sq_entries = 64, .connections_max = 8, .backend = GetParam()}, ring_, &why);
        if (error == std::errc::operation_not_permitted ||
            error == std::errc::function_not_supported) {
            GTEST_SKIP() << why;
        }
        ASSERT_FALSE(error) << why;
        ASSERT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_.data()));
    }
    void TearDown() override {
        ring_ = ring{};
        for (const int each : ends_) ::close(each);
    }

    [[nodiscard]] fd ours() const { return fd{ends_[0]}; }
    void peer_sends() { ASSERT_EQ(1, ::send(ends_[1], "x", 1, MSG_NOSIGNAL)); }

    // Waits until `count` have completed for good; nothing here allocates but for failures.
    void complete(int count) {
        const auto end = std::chrono::steady_clock::now() + 10s;
        while (count > 0) {
            ASSERT_LT(std::chrono::steady_clock::now(), end);
            const int taken = ring_.submit_and_wait(1, 100ms);
            ASSERT_TRUE(taken >= 0 || taken == -EINTR) << taken;
            for (const cqe& done : ring_.completions()) {
                if (!done.more()) --count;
            }
        }
        ASSERT_EQ(0, count);
    }

    // What `turn` allocates once it has been done a few times.
    template <class Turn>
    std::uint64_t count_of(Turn&& turn) {
        for (int round = 0; round < warm_up && !HasFailure(); ++round) turn();
        const allocation_count count;
        for (int round = 0; round < rounds && !HasFailure(); ++round) turn();
        return count.get();
    }

    ring ring_;
    std::array<int, 2> ends_{-1, -1};
    std::array<std::byte, 64> buffer_{};
};
INSTANTIATE_TEST_SUITE_P(backend, steady_state, testing::ValuesIn(backends_under_test()),
                         [](const auto& which) { return which.param; });

TEST_P(steady_state, of_this_program_is_counted) {
    const allocation_count count;
    const std::vector<int> one(100);
    EXPECT_EQ(1U, count.get()) << "or the other tests prove nothing";
}

TEST_P(steady_state, of_transfers_allocates_nothing) {
    EXPECT_EQ(0U, count_of([&] {
                  ring_.prepare_recv(ours(), buffer_, 1);
                  ASSERT_EQ(1, ring_.submit());  // Parked.
                  peer_sends();
                  complete(1);
                  peer_sends();
                  ring_.prepare_recv(ours(), buffer_, 2);  // There already.
                  ring_.prepare_send(ours(), std::span{buffer_}.first(8), 3);
                  complete(2);
                  ASSERT_EQ(8, ::recv(ends_[1], buffer_.data(), 8, 0));
              }));
}

TEST_P(steady_state, of_timeouts_allocates_nothing) {
    const kernel_timespec at_once{};
    EXPECT_EQ(0U, count_of([&] {
                  for (std::uint64_t each = 0; each < 8; ++each) {
                      ring_.prepare_timeout(&an_hour, each);
                  }
                  ring_.prepare_timeout(&an_hour, 8, /*completions=*/1);
                  ring_.prepare_timeout(&at_once, 9);
                  ring_.prepare_nop(10);
                  complete(3);
                  for (std::uint64_t each = 0; each < 8; ++each) {
                      ring_.prepare_timeout_remove(each, 20 + each);
                  }
                  complete(16);
              }));
}

TEST_P(steady_state, of_links_allocates_nothing) {
    EXPECT_EQ(0U, count_of([&] {
                  ring_.prepare_recv(ours(), buffer_, 1)->flags = sqe_flag::io_link;
                  ring_.prepare_link_timeout(&an_hour, 2)->flags = sqe_flag::io_link;
                  ring_.prepare_nop(3);
                  ASSERT_EQ(3, ring_.submit());
                  peer_sends();
                  complete(3);
                  ring_.prepare_recv(fd{-1}, buffer_, 4)->flags = sqe_flag::io_link;
                  ring_.prepare_nop(5);
                  complete(2);
              }));
}

TEST_P(steady_state, of_polls_and_cancels_allocates_nothing) {
    EXPECT_EQ(0U, count_of([&] {
                  ring_.prepare_poll_add(ours(), poll_event::in, 1);
                  ring_.prepare_recv(ours(), buffer_, 2);
                  ring_.prepare_poll_multishot(ours(), poll_event::in, 3);
                  ASSERT_EQ(3, ring_.submit());
                  ring_.prepare_cancel(2, 4);
                  ring_.prepare_poll_remove(3, 5);
                  ring_.prepare_cancel_fd(ours(), 6);
                  complete(6);
              }));
}

TEST_P(steady_state, of_wakes_and_posts_allocates_nothing) {
    EXPECT_EQ(0U, count_of([&] {
                  ring_.wake();
                  (void)ring_.submit_and_wait(1, 10s);
                  ASSERT_TRUE(ring_.post(1, 2));
                  complete(1);
              }));
}

TEST_P(steady_state, of_a_multishot_recv_allocates_nothing) {
    buffer_group group;
    std::string why;
    ASSERT_FALSE(buffer_group::create(
        ring_, {.buffers = 4, .buffer_bytes = 64, .incremental = false}, group, &why))
        << why;
    ring_.prepare_recv_multishot(ours(), group.id(), 1);
    EXPECT_EQ(0U, count_of([&] {
                  peer_sends();
                  while (ring_.completion_queue_count() == 0) (void)ring_.submit_and_wait(1, 10s);
                  for (const cqe& done : ring_.completions()) {
                      ASSERT_TRUE(done.more());
                      ASSERT_TRUE(group.recycle(group.take(done)));
                  }
              }));
}

}  // namespace
}  // namespace ioring
