// SPDX-License-Identifier: MIT
// backend_test_support.hpp - what tests of backends share: a program's side of the two queues.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "backend/backend.hpp"
#include "ioring/prep.hpp"

namespace ioring::backends {

// No test waits longer for anything.
inline constexpr std::int64_t patience_ns = 10'000'000'000;
inline constexpr std::int64_t millisecond_ns = 1'000'000;

// What the ring layer does with a backend, without its comforts.
class program {
public:
    explicit program(std::unique_ptr<backend> under_test) : backend_{std::move(under_test)} {}

    [[nodiscard]] backend& operator*() const { return *backend_; }
    [[nodiscard]] backend* operator->() const { return backend_.get(); }
    void destroy() { backend_.reset(); }

    // Prepares `entry`; the queue must have room.
    void push(const sqe& entry) {
        const ring_view& view = backend_->view();
        const std::uint32_t tail = view.sq_tail->load(std::memory_order_relaxed);
        ASSERT_LT(tail - view.sq_head->load(std::memory_order_acquire), view.sq_entries);
        view.sqes[tail & (view.sq_entries - 1)] = entry;
        view.sq_tail->store(tail + 1, std::memory_order_release);
    }
    void push_nop(std::uint64_t user_data, std::uint8_t flags = 0) {
        sqe entry;
        prep_nop(entry, user_data);
        entry.flags = flags;
        push(entry);
    }

    // SQEs that the backend has not taken.
    [[nodiscard]] std::uint32_t pending() const {
        const ring_view& view = backend_->view();
        return view.sq_tail->load(std::memory_order_relaxed) -
               view.sq_head->load(std::memory_order_acquire);
    }
    [[nodiscard]] std::uint32_t ready() const {
        const ring_view& view = backend_->view();
        return view.cq_tail->load(std::memory_order_acquire) -
               view.cq_head->load(std::memory_order_relaxed);
    }
    [[nodiscard]] bool flagged(std::uint32_t flag) const {
        return (backend_->view().sq_flags->load(std::memory_order_acquire) & flag) != 0;
    }

    int submit() { return backend_->enter(pending(), 0, 0, no_timeout); }
    int submit_and_wait(std::uint32_t min_complete, std::int64_t timeout_ns = patience_ns) {
        return backend_->enter(pending(), min_complete, enter_flag::getevents, timeout_ns);
    }

    // Reads everything that is in the queue.
    std::vector<cqe> reap() {
        const ring_view& view = backend_->view();
        std::vector<cqe> all;
        std::uint32_t head = view.cq_head->load(std::memory_order_relaxed);
        for (std::uint32_t left = ready(); left > 0; --left) {
            all.push_back(view.cqes[head++ & (view.cq_entries - 1)]);
        }
        view.cq_head->store(head, std::memory_order_release);
        return all;
    }
    // As reap(), of which only the number is told: allocates nothing.
    std::uint32_t drop_all() {
        const ring_view& view = backend_->view();
        const std::uint32_t count = ready();
        view.cq_head->store(view.cq_head->load(std::memory_order_relaxed) + count,
                            std::memory_order_release);
        return count;
    }
    // Submits, and reads completions until there are `count`.
    std::vector<cqe> complete(std::size_t count) {
        std::vector<cqe> all;
        while (all.size() < count) {
            const int result = submit_and_wait(1);
            if (result < 0 && result != -EINTR) {
                ADD_FAILURE() << "enter: " << result;
                break;
            }
            for (const cqe& done : reap()) all.push_back(done);
        }
        EXPECT_EQ(count, all.size());
        return all;
    }
    cqe complete_one() {
        const std::vector<cqe> all = complete(1);
        return all.empty() ? cqe{.user_data = 0, .res = -ENODATA, .flags = 0} : all.front();
    }
    // One nop, there and back.
    void expect_nop_round_trip(std::uint64_t user_data = 42) {
        push_nop(user_data);
        const cqe done = complete_one();
        EXPECT_EQ(user_data, done.user_data);
        EXPECT_EQ(0, done.res);
        EXPECT_EQ(0U, done.flags);
    }
    // Each wake() of another thread ends one wait, and what came before it is seen.
    void expect_wakes_to_end_endless_waits() {
        constexpr int rounds = 200;
        int message = 0;  // Not atomic: the wake orders it.
        std::atomic<int> read_until{0};
        std::thread waker{[&] {
            for (int i = 1; i <= rounds; ++i) {
                message = i;
                wake();
                while (read_until.load(std::memory_order_acquire) < i) std::this_thread::yield();
            }
        }};
        for (int seen = 0; seen < rounds; ++seen) {
            EXPECT_EQ(0, backend_->enter(0, 1, enter_flag::getevents, no_timeout));
            EXPECT_EQ(seen + 1, message);
            read_until.store(message, std::memory_order_release);
        }
        waker.join();
    }
    // As the ring does, so that wake() reaches a wait. The poll's completions carry
    // reserved_user_data.
    void arm_wake() {
        const int descriptor = backend_->register_(register_op::wake_descriptor, nullptr, 0);
        if (descriptor == -ENOENT) return;
        sqe entry;
        prep_poll_multishot(entry, fd{descriptor}, poll_event::in, reserved_user_data);
        push(entry);
        ASSERT_EQ(1, submit());
    }
    int wake() { return backend_->register_(register_op::wake, nullptr, 0); }

private:
    std::unique_ptr<backend> backend_;
};

// A backend by its factory, or a failed test.
template <class Factory, class... Arguments>
std::unique_ptr<backend> set_up_with(Factory factory, const backend_options& options,
                                     const Arguments&... arguments) {
    std::unique_ptr<backend> made;
    std::string why;
    const std::error_code error = factory(options, arguments..., made, why);
    EXPECT_FALSE(error) << error.message() << ": " << why;
    EXPECT_EQ(error ? true : false, made == nullptr);
    return made;
}

}  // namespace ioring::backends
