// SPDX-License-Identifier: MIT
// inner_queues.hpp - the program's side of an inner backend, which a wrapper plays.
#pragma once

#include <cassert>
#include <cstdint>

#include "ioring/layout.hpp"

namespace ioring::backends {

// SQEs that the inner backend has not taken.
[[nodiscard]] inline std::uint32_t sqes_pending(const ring_view& inner) noexcept {
    // Acquire: the backend has read what it took (pairs with its release).
    return inner.sq_tail->load(std::memory_order_relaxed) -
           inner.sq_head->load(std::memory_order_acquire);
}

// Precondition: there is room.
inline void push_sqe(const ring_view& inner, const sqe& entry) noexcept {
    assert(sqes_pending(inner) < inner.sq_entries);
    const std::uint32_t tail = inner.sq_tail->load(std::memory_order_relaxed);
    inner.sqes[tail & (inner.sq_entries - 1)] = entry;
    // Release: the entry is complete (pairs with the backend's acquire).
    inner.sq_tail->store(tail + 1, std::memory_order_release);
}

// Moves the oldest CQE into `out`; false when there is none.
[[nodiscard]] inline bool pop_cqe(const ring_view& inner, cqe& out) noexcept {
    const std::uint32_t head = inner.cq_head->load(std::memory_order_relaxed);
    // Acquire: the entries before the tail are complete (pairs with the backend's release).
    if (inner.cq_tail->load(std::memory_order_acquire) == head) return false;
    out = inner.cqes[head & (inner.cq_entries - 1)];
    // Release: it has been read before the backend may overwrite it.
    inner.cq_head->store(head + 1, std::memory_order_release);
    return true;
}

}  // namespace ioring::backends
