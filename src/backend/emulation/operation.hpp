// SPDX-License-Identifier: MIT
// operation.hpp - one accepted SQE, from the moment it is read until its last CQE is posted.
//
// Thousands wait at a time, so that each is met outside the processor's cache: what a transfer uses
// is in the first two lines.
#pragma once

#include <cstdint>

#include "ioring/sqe.hpp"

namespace ioring::backends::emulation {

inline constexpr std::uint32_t not_in_heap = ~std::uint32_t{0};

struct alignas(64) operation {
    sqe entry;

    // Whoever keeps it now: the pool's free list, the starter's queue, a descriptor's queue.
    operation* next = nullptr;
    operation* previous = nullptr;
    // While it is in flight: the others with the same hash of user_data, and all of them by age.
    operation* same_hash_next = nullptr;
    operation* same_hash_previous = nullptr;
    operation* newer = nullptr;
    operation* older = nullptr;

    std::uint32_t bytes_done = 0;  // Of a transfer that goes on.
    // Of a receive that goes on in a buffer of a group, which it keeps and `entry` now names: the
    // flags of its CQE.
    std::uint32_t kept_buffer = 0;
    std::int32_t early_result = 0;   // Not 0: it is invalid, or another of its chain is.
    bool in_flight = false;          // Started and not ended: can be found by a cancel.
    bool linked = false;             // One of a chain, be it the last of it.
    bool queued = false;             // The engine keeps it in a queue of a descriptor.
    bool ending : 1 = false;         // Asked to end, which the system has yet to confirm.
    bool timer : 1 = false;          // A timeout whose time or count runs (not a link timeout).
    bool counted : 1 = false;        // Of those, one that waits for completions as well.
    bool holds_connect : 1 = false;  // A connect whose attempt is under way.

    operation* follower = nullptr;  // The next of its chain, which starts when this one has ended.
    // An operation and the link timeout that bounds it, while the latter's time runs.
    operation* link_timer = nullptr;
    operation* bounded = nullptr;
    void* kept_by = nullptr;  // The engine's own: with what it keeps this.

    std::uint64_t deadline_ns = 0;  // A timer's, of the monotonic clock.
    std::uint64_t interval_ns = 0;  // Of a timer that fires more than once.
    // A timeout that waits for completions: their number.
    std::uint64_t target_count = 0;
    // Of a timer that fires more than once; 0: without end. Of others, the engine's own.
    std::uint32_t shots_left = 0;
    std::uint32_t heap_index = not_in_heap;

    [[nodiscard]] bool has_flag(std::uint8_t flag) const noexcept {
        return (entry.flags & flag) != 0;
    }
    [[nodiscard]] bool links() const noexcept {
        return has_flag(sqe_flag::io_link | sqe_flag::io_hardlink);
    }
};
static_assert(sizeof(operation) == 192 || sizeof(void*) != 8);

}  // namespace ioring::backends::emulation
