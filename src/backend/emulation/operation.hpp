// SPDX-License-Identifier: MIT
// operation.hpp - one accepted SQE, from the moment it is read until its last CQE is posted.
#pragma once

#include <cstdint>

#include "ioring/sqe.hpp"

namespace ioring::backends::emulation {

inline constexpr std::uint32_t not_in_heap = ~std::uint32_t{0};

struct operation {
    sqe entry;

    operation* follower = nullptr;  // The next of its chain, which starts when this one has ended.
    // An operation and the link timeout that bounds it, while the latter's time runs.
    operation* link_timer = nullptr;
    operation* bounded = nullptr;

    // Whoever keeps it now: the pool's free list, the starter's queue, a descriptor's queue.
    operation* next = nullptr;
    operation* previous = nullptr;
    // While it is in flight: the others with the same hash of user_data, and all of them by age.
    operation* same_hash_next = nullptr;
    operation* same_hash_previous = nullptr;
    operation* newer = nullptr;
    operation* older = nullptr;

    void* kept_by = nullptr;  // The engine's own: with what it keeps this.

    std::uint64_t deadline_ns = 0;   // A timer's, of the monotonic clock.
    std::uint64_t interval_ns = 0;   // Of a timer that fires more than once.
    std::uint64_t target_count = 0;  // A timeout that waits for completions: their number.
    std::uint32_t heap_index = not_in_heap;
    std::uint32_t shots_left = 0;  // Of a timer that fires more than once; 0: without end.
    std::uint32_t bytes_done = 0;  // Of a transfer that goes on.
    // Of a receive that goes on in a buffer of a group, which it keeps and `entry` now names: the
    // flags of its CQE.
    std::uint32_t kept_buffer = 0;

    std::int32_t early_result = 0;  // Not 0: it is invalid, or another of its chain is.
    bool in_flight = false;         // Started and not ended: can be found by a cancel.
    bool timer = false;             // A timeout whose time or count runs (not a link timeout).
    bool counted = false;           // Of those, one that waits for completions as well.
    bool silent_when_cut = false;   // Its CQE is left out if its chain is cut: see finish().
    bool queued = false;            // The engine keeps it in a queue of a descriptor.
    bool holds_connect = false;     // A connect whose attempt is under way.
    bool ending = false;            // Asked to end, which the system has yet to confirm.

    [[nodiscard]] bool has_flag(std::uint8_t flag) const noexcept {
        return (entry.flags & flag) != 0;
    }
    [[nodiscard]] bool links() const noexcept {
        return has_flag(sqe_flag::io_link | sqe_flag::io_hardlink);
    }
};

}  // namespace ioring::backends::emulation
