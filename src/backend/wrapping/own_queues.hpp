// SPDX-License-Identifier: MIT
// own_queues.hpp - the two queues that a wrapper shows the program, and who owns them.
//
// Threads: the owner's, but for what `owner_check` says.
#pragma once

#include <atomic>
#include <bit>
#include <cassert>
#include <cerrno>
#include <cstdint>
#include <vector>

#include "backend/backend.hpp"
#include "base/thread_token.hpp"
#include "platform/process.hpp"

namespace ioring::backends {

// The thread of the first claim() owns the backend; see backend.hpp on threads and forks.
class owner_check {
public:
    owner_check() noexcept : generation_{platform::fork_generation()} {}

    // 0, or -EOWNERDEAD in a child of the process that made it. Any thread.
    [[nodiscard]] int check_process() const noexcept {
        return generation_ == platform::fork_generation() ? 0 : -EOWNERDEAD;
    }
    // 0, or why the caller may not.
    [[nodiscard]] int check() const noexcept {
        if (const int error = check_process(); error != 0) return error;
        const bool ours = owner_ == detail::no_thread || owner_ == detail::thread_token();
        return ours ? 0 : -EEXIST;
    }
    // As check(), and makes the caller the owner.
    [[nodiscard]] int claim() noexcept {
        const int error = check();
        if (error == 0) owner_ = detail::thread_token();
        return error;
    }

private:
    std::uint32_t generation_;
    std::uint64_t owner_ = detail::no_thread;
};

class own_queues {
public:
    explicit own_queues(const backend_options& options)
        : sqes_(options.sq_entries), cqes_(options.cq_entries) {
        assert(std::has_single_bit(options.sq_entries) && std::has_single_bit(options.cq_entries));
    }
    own_queues(const own_queues&) = delete;
    own_queues& operator=(const own_queues&) = delete;

    [[nodiscard]] ring_view view() noexcept {
        return {.sqes = sqes_.data(),
                .cqes = cqes_.data(),
                .sq_head = &sq_head_,
                .sq_tail = &sq_tail_,
                .sq_flags = &sq_flags_,
                .cq_head = &cq_head_,
                .cq_tail = &cq_tail_,
                .cq_overflow = &cq_overflow_,
                .sq_entries = static_cast<std::uint32_t>(sqes_.size()),
                .cq_entries = static_cast<std::uint32_t>(cqes_.size())};
    }

    // SQEs that the program has published and take() has not released.
    [[nodiscard]] std::uint32_t pending() const noexcept {
        // Acquire: the entries before the tail are complete (pairs with the program's release).
        return sq_tail_.load(std::memory_order_acquire) - sq_head_.load(std::memory_order_relaxed);
    }
    // The SQE `ahead` places behind the head. Precondition: ahead < pending().
    [[nodiscard]] const sqe& at(std::uint32_t ahead) const noexcept {
        const std::uint32_t head = sq_head_.load(std::memory_order_relaxed);
        return sqes_[(head + ahead) & (sqes_.size() - 1)];
    }
    void take(std::uint32_t count) noexcept {
        assert(count <= pending());
        // Release: they have been read before the program may write them again.
        sq_head_.store(sq_head_.load(std::memory_order_relaxed) + count, std::memory_order_release);
    }

    // CQEs that the program has not consumed.
    [[nodiscard]] std::uint32_t ready() const noexcept {
        // Acquire: the program has read what is before the head (pairs with its release).
        return cq_tail_.load(std::memory_order_relaxed) - cq_head_.load(std::memory_order_acquire);
    }
    [[nodiscard]] std::uint32_t room() const noexcept {
        return static_cast<std::uint32_t>(cqes_.size()) - ready();
    }
    // Precondition: room() > 0.
    void post(const cqe& done) noexcept {
        assert(room() > 0);
        const std::uint32_t tail = cq_tail_.load(std::memory_order_relaxed);
        cqes_[tail & (cqes_.size() - 1)] = done;
        // Release: the entry is complete (pairs with the program's acquire).
        cq_tail_.store(tail + 1, std::memory_order_release);
    }
    void set_flags(std::uint32_t flags) noexcept {
        sq_flags_.store(flags, std::memory_order_release);
    }

private:
    std::atomic<std::uint32_t> sq_head_{0};
    std::atomic<std::uint32_t> sq_tail_{0};
    std::atomic<std::uint32_t> sq_flags_{0};
    std::atomic<std::uint32_t> cq_head_{0};
    std::atomic<std::uint32_t> cq_tail_{0};
    std::atomic<std::uint32_t> cq_overflow_{0};
    std::vector<sqe> sqes_;
    std::vector<cqe> cqes_;
};

}  // namespace ioring::backends
