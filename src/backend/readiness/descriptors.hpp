// SPDX-License-Identifier: MIT
// descriptors.hpp - what waits on each descriptor, by its number.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "backend/emulation/growing_array.hpp"
#include "backend/emulation/operation.hpp"
#include "backend/emulation/waiting_queue.hpp"
#include "backend/readiness/poller.hpp"

namespace ioring::backends::readiness {

using emulation::operation;
using emulation::waiting_queue;

struct descriptor {
    waiting_queue reads;
    waiting_queue writes;
    waiting_queue polls;
    operation* connecting = nullptr;  // Both queues wait for it.
    std::uint8_t again = 0;           // Directions that the next turn tries without an event.
    bool listed = false;              // In the list of those.
    bool armed = false;               // The poller has heard of it.
    bool tells_drained = false;       // A receive that gets less than it could has read it empty.
    bool drained = false;             // One has, and there was no event since: a try would block.

    // Nothing is kept for it and its number may become another's.
    void reset() noexcept {
        again = 0;
        armed = tells_drained = drained = false;
    }
    [[nodiscard]] waiting_queue& queue(std::uint8_t which) noexcept {
        return which == direction::read ? reads : writes;
    }
    [[nodiscard]] operation* first() const noexcept {
        if (connecting != nullptr) return connecting;
        if (reads.first != nullptr) return reads.first;
        return writes.first != nullptr ? writes.first : polls.first;
    }
};

class descriptor_table {
public:
    // The one of `fd`, or nullptr when nothing was ever kept for it.
    [[nodiscard]] descriptor* find(std::int32_t fd) noexcept {
        const auto index = static_cast<std::uint32_t>(fd);
        return index < descriptors_.size() ? &descriptors_[index] : nullptr;
    }
    // As find(), made if there is none; others may move. nullptr: no memory. Precondition: the
    // system knows `fd`, which bounds the table by its limit of descriptors.
    [[nodiscard]] descriptor* make(std::int32_t fd) noexcept {
        const auto index = static_cast<std::size_t>(fd);
        const bool room = descriptors_.grow_to(index + 1) && again_.grow_to(index + 1);
        return room ? &descriptors_[index] : nullptr;
    }

    // `directions` of `fd`, which is in the table, are to be tried at the next turn.
    void add_again(std::int32_t fd, std::uint8_t directions) noexcept {
        descriptor& of = descriptors_[static_cast<std::size_t>(fd)];
        of.again |= directions;
        if (of.listed) return;
        of.listed = true;
        again_[again_count_++] = fd;
    }
    [[nodiscard]] std::size_t again_count() const noexcept { return again_count_; }
    // Takes the first of the list out, as many as there are and `out` holds.
    [[nodiscard]] std::size_t take_again(std::span<std::int32_t> out) noexcept {
        const std::size_t count = std::min(again_count_, out.size());
        for (std::size_t index = 0; index < count; ++index) out[index] = again_[index];
        again_count_ -= count;
        for (std::size_t index = 0; index < again_count_; ++index) {
            again_[index] = again_[index + count];
        }
        return count;
    }

private:
    emulation::growing_array<descriptor> descriptors_;
    emulation::growing_array<std::int32_t> again_;  // Each descriptor at most once.
    std::size_t again_count_ = 0;
};

}  // namespace ioring::backends::readiness
