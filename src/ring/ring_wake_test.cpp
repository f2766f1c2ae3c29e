// SPDX-License-Identifier: MIT
// ring_wake_test.cpp - a wake that is posted while the owner looks at its queue ends the wait.
//
// Without DEFER_TASKRUN the kernel posts the completion of a wake at any moment, also between two
// looks of the owner. This backend does so in the thread that wakes, as often as one likes.
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "backend/null/null.hpp"
#include "backend/registry.hpp"
#include "ring/ring_test_support.hpp"

namespace ioring::ring_tests {
namespace {

using backends::backend;
using clock = std::chrono::steady_clock;

class posting_backend final : public backend {
public:
    explicit posting_backend(std::unique_ptr<backend> queues) : queues_{std::move(queues)} {
        view_ = queues_->view();
        probe_ = queues_->probe();
        description_ = "posts wakes at any moment: " + queues_->description();
    }

    int enter(std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
              std::int64_t timeout_ns) noexcept override {
        if (to_submit > 0) return queues_->enter(to_submit, 0, flags, timeout_ns);
        const auto end = clock::now() + std::chrono::nanoseconds{timeout_ns};
        while (unread() < min_complete) {
            if (clock::now() >= end) return -ETIME;
            std::this_thread::yield();
        }
        return 0;
    }

    int register_(backends::register_op operation, void* argument,
                  std::uint32_t count) noexcept override {
        if (operation != backends::register_op::wake) {
            return queues_->register_(operation, argument, count);
        }
        const std::uint32_t tail = view_.cq_tail->load(std::memory_order_relaxed);
        if (unread() == view_.cq_entries) return 0;  // The ring cannot sleep then.
        view_.cqes[tail & (view_.cq_entries - 1)] = {
            .user_data = reserved_user_data, .res = 1, .flags = cqe_flag::more};
        view_.cq_tail->store(tail + 1, std::memory_order_release);
        return 0;
    }

private:
    [[nodiscard]] std::uint32_t unread() const noexcept {
        return view_.cq_tail->load(std::memory_order_acquire) -
               view_.cq_head->load(std::memory_order_acquire);
    }

    std::unique_ptr<backend> queues_;
};

std::error_code set_up(const backends::backend_options& options, std::unique_ptr<backend>& out,
                       std::string& why) noexcept {
    std::unique_ptr<backend> queues;
    const std::error_code error = backends::null::set_up(options, queues, why);
    if (!error) out = std::make_unique<posting_backend>(std::move(queues));
    return error;
}

const bool added = [] {
    backends::add({"wake-posting", set_up, false});
    return true;
}();

// A thread wakes as soon as the last wake has ended a wait, so that the next meets its beginning.
void expect_that_none_is_missed(ring& ours, std::uint32_t wait_for, int rounds) {
    std::atomic<int> asked{0};
    std::atomic<int> answered{0};
    std::thread waker{[&] {
        for (int round = 1; round <= rounds; ++round) {
            asked = round;
            ours.wake();
            while (answered < round) std::this_thread::yield();
        }
    }};
    while (answered < rounds) {
        const auto start = clock::now();
        EXPECT_EQ(0, ours.submit_and_wait(wait_for, patience));
        if (clock::now() - start > patience / 2) break;
        answered = asked.load();
    }
    EXPECT_EQ(rounds, answered);
    answered = rounds;
    waker.join();
}

TEST(ring_wake, is_not_missed_where_its_completion_is_read_between_two_looks) {
    ring ours = make_ring({.sq_entries = 8, .connections_max = 1, .backend = "wake-posting"});
    expect_that_none_is_missed(ours, 1, 200'000);
}

TEST(ring_wake, is_not_missed_behind_a_completion_that_is_too_few) {
    ring ours = make_ring(
        {.sq_entries = 8, .cq_entries = 32'768, .connections_max = 1, .backend = "wake-posting"});
    ASSERT_NE(nullptr, ours.prepare_nop(1));
    ASSERT_EQ(1, ours.submit());
    expect_that_none_is_missed(ours, 30'000, 30'000);
}

}  // namespace
}  // namespace ioring::ring_tests
