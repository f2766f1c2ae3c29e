// SPDX-License-Identifier: MIT
// queues.cpp - posting completions, in order, into the queue or behind it.
#include "backend/emulation/queues.hpp"

#include <bit>
#include <cassert>

namespace ioring::backends::emulation {

std::error_code queues::set_up(const backend_options& options) noexcept {
    assert(std::has_single_bit(options.sq_entries) && std::has_single_bit(options.cq_entries));
    sq_entries_ = options.sq_entries;
    cq_entries_ = options.cq_entries;
    const bool room =
        sqes_.grow_to(sq_entries_) && cqes_.grow_to(cq_entries_) && overflow_.grow_to(sq_entries_);
    return room ? std::error_code{} : std::make_error_code(std::errc::not_enough_memory);
}

ring_view queues::view() noexcept {
    return {.sqes = &sqes_[0],
            .cqes = &cqes_[0],
            .sq_head = &words_.sq_head,
            .sq_tail = &words_.sq_tail,
            .sq_flags = &words_.sq_flags,
            .cq_head = &words_.cq_head,
            .cq_tail = &words_.cq_tail,
            .cq_overflow = &words_.cq_overflow,
            .sq_entries = sq_entries_,
            .cq_entries = cq_entries_};
}

void queues::post_outside(const cqe& done) noexcept {
    assert(overflow_count() < overflow_.size());
    overflow_[overflow_tail_++ & (overflow_.size() - 1)] = done;
    words_.sq_flags.fetch_or(sq_flag::cq_overflow, std::memory_order_release);
}

void queues::flush_what_waits() noexcept {
    std::uint32_t tail = words_.cq_tail.load(std::memory_order_relaxed);
    for (std::uint32_t room = cq_entries_ - ready(); room > 0 && overflow_count() > 0; --room) {
        cqes_[tail++ & (cq_entries_ - 1)] = overflow_[overflow_head_++ & (overflow_.size() - 1)];
    }
    // Release: the entries are complete (pairs with the program's acquire).
    words_.cq_tail.store(tail, std::memory_order_release);
    if (overflow_count() == 0) {
        words_.sq_flags.fetch_and(~sq_flag::cq_overflow, std::memory_order_release);
    }
}

bool queues::reserve(std::uint32_t count) noexcept {
    if (count <= overflow_.size()) return true;
    // Growing copies the elements as they lie; the queue's must lie at their old indices modulo the
    // new size.
    const std::size_t before = overflow_.size();
    const std::uint32_t waiting = overflow_count();
    if (!overflow_.grow_to(count)) return false;
    const std::size_t first = overflow_head_ & (before - 1);
    // Those that had wrapped to the front follow the old end now.
    if (first + waiting > before) {
        for (std::size_t index = 0; index < first + waiting - before; ++index) {
            overflow_[before + index] = overflow_[index];
        }
    }
    overflow_head_ = static_cast<std::uint32_t>(first);
    overflow_tail_ = overflow_head_ + waiting;
    return true;
}

void queues::set_taskrun(bool on) noexcept {
    const std::uint32_t flags = words_.sq_flags.load(std::memory_order_relaxed);
    if (((flags & sq_flag::taskrun) != 0) == on) return;
    if (on) {
        words_.sq_flags.fetch_or(sq_flag::taskrun, std::memory_order_release);
    } else {
        words_.sq_flags.fetch_and(~sq_flag::taskrun, std::memory_order_release);
    }
}

}  // namespace ioring::backends::emulation
