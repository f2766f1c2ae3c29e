// SPDX-License-Identifier: MIT
// queues.hpp - a user-space kernel's end of the two queues: reads SQEs, posts CQEs, loses none.
//
// A completion that finds its queue full waits behind it, in order, and sq_flag::cq_overflow is set
// until flush_overflow() has posted all of them. Posting never allocates: reserve() makes room for
// as many completions as operations can be in flight.
//
// Threads: the owner's, except add_taskrun().
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "backend/backend.hpp"
#include "backend/emulation/growing_array.hpp"
#include "ioring/layout.hpp"

namespace ioring::backends::emulation {

class queues {
public:
    // Errors: not_enough_memory.
    [[nodiscard]] std::error_code set_up(const backend_options& options) noexcept;
    [[nodiscard]] ring_view view() noexcept;

    // --- submission ---
    // Prepared entries that have not been consumed.
    [[nodiscard]] std::uint32_t waiting() const noexcept {
        // Acquire: the entries before the tail are complete (pairs with the program's release).
        return words_.sq_tail.load(std::memory_order_acquire) -
               words_.sq_head.load(std::memory_order_relaxed);
    }
    // The entry `index` places after the oldest. Precondition: index < waiting().
    [[nodiscard]] const sqe& entry(std::uint32_t index) const noexcept {
        const std::uint32_t head = words_.sq_head.load(std::memory_order_relaxed);
        return sqes_[(head + index) & (sq_entries_ - 1)];
    }
    void consume(std::uint32_t count) noexcept {
        const std::uint32_t head = words_.sq_head.load(std::memory_order_relaxed);
        // Release: they have been read before the program may write them again.
        words_.sq_head.store(head + count, std::memory_order_release);
    }

    // --- completion ---
    // Completions that the program can read.
    [[nodiscard]] std::uint32_t ready() const noexcept {
        // Acquire: the program has read what is before the head (pairs with its release).
        return words_.cq_tail.load(std::memory_order_relaxed) -
               words_.cq_head.load(std::memory_order_acquire);
    }
    // A completion posted now would wait outside the queue.
    [[nodiscard]] bool full() const noexcept {
        return overflow_count() != 0 || ready() >= cq_entries_;
    }
    void post(const cqe& done) noexcept {
        // Behind what waits already: completions keep their order.
        if (full()) [[unlikely]]
            return post_outside(done);
        const std::uint32_t tail = words_.cq_tail.load(std::memory_order_relaxed);
        cqes_[tail & (cq_entries_ - 1)] = done;
        // Release: the entry is complete (pairs with the program's acquire).
        words_.cq_tail.store(tail + 1, std::memory_order_release);
    }
    // Posts for the entries from `first` on, up to `last`, what `complete(entry, completion)`
    // writes, as far as there is room and it returns true, and shows all of them at once. Returns
    // how many.
    template <class Complete>
    std::uint32_t post_while(std::uint32_t first, std::uint32_t last,
                             Complete&& complete) noexcept {
        const std::uint32_t room = overflow_count() != 0 ? 0 : cq_entries_ - ready();
        const std::uint32_t most = std::min(last - first, room);
        const std::uint32_t head = words_.sq_head.load(std::memory_order_relaxed) + first;
        const std::uint32_t tail = words_.cq_tail.load(std::memory_order_relaxed);
        const sqe* const entries = &sqes_[0];
        cqe* const completions = &cqes_[0];
        const std::uint32_t sq_mask = sq_entries_ - 1;
        const std::uint32_t cq_mask = cq_entries_ - 1;
        std::uint32_t count = 0;
        while (count < most &&
               complete(entries[(head + count) & sq_mask], completions[(tail + count) & cq_mask])) {
            ++count;
        }
        // Release: the entries are complete (pairs with the program's acquire).
        words_.cq_tail.store(tail + count, std::memory_order_release);
        return count;
    }
    // Posts what waits, as far as there is room.
    void flush_overflow() noexcept {
        if (overflow_count() != 0) [[unlikely]]
            flush_what_waits();
    }
    [[nodiscard]] std::uint32_t overflow_count() const noexcept {
        return overflow_tail_ - overflow_head_;
    }
    // Room for `count` completions outside the queue. False: no memory, nothing has changed.
    [[nodiscard]] bool reserve(std::uint32_t count) noexcept;

    // --- the flags word ---
    // Sets or takes back sq_flag::taskrun, by the owner.
    void set_taskrun(bool on) noexcept;
    // Any thread.
    void add_taskrun() noexcept {
        // Release: what the flag stands for is there when it is seen.
        words_.sq_flags.fetch_or(sq_flag::taskrun, std::memory_order_release);
    }

private:
    void post_outside(const cqe& done) noexcept;
    void flush_what_waits() noexcept;

    // The words of the two queues; layout.hpp says who writes which.
    struct words {
        std::atomic<std::uint32_t> sq_head{0};
        std::atomic<std::uint32_t> sq_tail{0};
        std::atomic<std::uint32_t> sq_flags{0};
        std::atomic<std::uint32_t> cq_head{0};
        std::atomic<std::uint32_t> cq_tail{0};
        std::atomic<std::uint32_t> cq_overflow{0};
    };

    words words_;
    growing_array<sqe> sqes_;
    growing_array<cqe> cqes_;
    growing_array<cqe> overflow_;  // A circular queue of a power of two: [head, tail).
    std::uint32_t sq_entries_ = 0;
    std::uint32_t cq_entries_ = 0;
    std::uint32_t overflow_head_ = 0;
    std::uint32_t overflow_tail_ = 0;
};

}  // namespace ioring::backends::emulation
