// SPDX-License-Identifier: MIT
// timers.hpp - the operations whose time runs, the earliest first.
//
// A binary heap whose elements know their place: adding, removing and moving cost the logarithm of
// their number, and nothing is allocated while there are no more of them than there were before.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/emulation/growing_array.hpp"
#include "backend/emulation/operation.hpp"

namespace ioring::backends::emulation {

// The time of no timer.
inline constexpr std::uint64_t never_ns = ~std::uint64_t{0};

class timers {
public:
    // Starts `timer` at its deadline_ns. False: no memory, nothing has changed.
    [[nodiscard]] bool add(operation& timer) noexcept;
    // Precondition: it is in the heap.
    void remove(operation& timer) noexcept;
    // Gives one that is in the heap another deadline.
    void move(operation& timer, std::uint64_t deadline_ns) noexcept;

    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    [[nodiscard]] std::uint64_t earliest_ns() const noexcept {
        return count_ == 0 ? never_ns : heap_[0]->deadline_ns;
    }
    // Takes the earliest out when it is due at `now_ns`; nullptr when none is.
    [[nodiscard]] operation* take_due(std::uint64_t now_ns) noexcept;

private:
    void place(operation& timer, std::size_t index) noexcept {
        heap_[index] = &timer;
        timer.heap_index = static_cast<std::uint32_t>(index);
    }
    void sift_up(operation& timer, std::size_t index) noexcept;
    void sift_down(operation& timer, std::size_t index) noexcept;

    growing_array<operation*> heap_;
    std::size_t count_ = 0;
};

}  // namespace ioring::backends::emulation
