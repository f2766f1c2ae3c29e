// SPDX-License-Identifier: MIT
// descriptors.hpp - what waits on each descriptor, by its number.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "backend/emulation/growing_array.hpp"
#include "backend/emulation/operation.hpp"
#include "backend/emulation/waiting_queue.hpp"
#include "backend/readiness/poller.hpp"

namespace ioring::backends::readiness {

using emulation::operation;
using emulation::waiting_queue;

struct alignas(64) descriptor {  // A cache line.
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
        const bool room = descriptors_.grow_to(index + 1) && again_.grow_to(2 * (index + 1));
        return room ? &descriptors_[index] : nullptr;
    }

    // Bring what will be needed soon into the cache, meanwhile: the one of `fd`, and, when that is
    // there, the receive that waits on it.
    void fetch(std::int32_t fd) noexcept {
        if (const descriptor* const of = find(fd); of != nullptr) __builtin_prefetch(of);
    }
    void fetch_first(std::int32_t fd) noexcept {
        const descriptor* const of = find(fd);
        if (of == nullptr || of->reads.first == nullptr) return;
        __builtin_prefetch(&of->reads.first->entry);
        __builtin_prefetch(&of->reads.first->next);
    }

    // `directions` of `fd`, which is in the table, are to be tried at the next turn.
    void add_again(std::int32_t fd, std::uint8_t directions) noexcept {
        descriptor& of = descriptors_[static_cast<std::size_t>(fd)];
        of.again |= directions;
        if (of.listed) return;
        of.listed = true;
        if (again_end_ == again_.size()) compact_again();
        again_[again_end_++] = fd;
    }
    [[nodiscard]] std::size_t again_count() const noexcept { return again_end_ - again_first_; }
    // Takes the oldest of the list out and returns its descriptor and directions. Precondition:
    // there is one.
    [[nodiscard]] std::pair<std::int32_t, std::uint8_t> take_again() noexcept {
        const std::int32_t fd = again_[again_first_++];
        if (again_first_ == again_end_) again_first_ = again_end_ = 0;
        descriptor& of = descriptors_[static_cast<std::size_t>(fd)];
        of.listed = false;
        return {fd, std::exchange(of.again, std::uint8_t{0})};
    }

private:
    // The list has twice as many places as descriptors, so that it is seldom moved.
    void compact_again() noexcept {
        for (std::size_t from = again_first_, to = 0; from < again_end_; ++from, ++to) {
            again_[to] = again_[from];
        }
        again_end_ -= std::exchange(again_first_, 0);
    }

    emulation::growing_array<descriptor> descriptors_;
    emulation::growing_array<std::int32_t> again_;  // [first, end): each descriptor at most once.
    std::size_t again_first_ = 0;
    std::size_t again_end_ = 0;
};

}  // namespace ioring::backends::readiness
