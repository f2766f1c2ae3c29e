// SPDX-License-Identifier: MIT
// timer_wheel.cpp - which slot a tick belongs to, and which slot comes next.
#include "socket/timer_wheel.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

namespace ioring::detail {

inline timer_wheel::node* timer_wheel::take(std::uint32_t& slot, std::uint64_t tick,
                                            std::uint64_t payload) noexcept {
    slot = nodes_.take();
    if (slot == none) return nullptr;
    node& made = nodes_[slot];
    made.tick = tick;
    made.payload = payload;
    ++made.generation;
    assert((made.generation & 1U) != 0);
    return &made;
}

timer_key timer_wheel::arm(std::uint64_t tick, std::uint64_t payload) noexcept {
    std::uint32_t slot = none;
    node* const made = take(slot, tick, payload);
    if (made == nullptr) return {};
    link(slot, *made);
    return {slot, made->generation};
}

timer_key timer_wheel::arm_later(std::uint64_t delay, std::uint64_t payload) noexcept {
    std::uint32_t slot = none;
    node* const made = take(slot, delay, payload);
    if (made == nullptr) return {};
    if (oldest_unplaced_ == none) oldest_unplaced_ = slot;
    link_to(slot, *made, unplaced);
    return {slot, made->generation};
}

bool timer_wheel::move(timer_key key, std::uint64_t tick) noexcept {
    node* const which = find(key);
    if (which == nullptr) return false;
    unlink(*which);
    which->tick = tick;
    link(key.slot, *which);
    return true;
}

bool timer_wheel::cancel(timer_key key) noexcept {
    node* const which = find(key);
    if (which == nullptr) return false;
    unlink(*which);
    release(key.slot, *which);
    return true;
}

std::uint64_t timer_wheel::next_tick() const noexcept {
    if (heads_[expired] != none) return present_;
    for (unsigned level = 0; level < levels; ++level) {
        if (occupied_[level] == 0) continue;
        // All slots of a level lie ahead within the present slot of the level above, and so does
        // all of this level before anything of the next.
        const unsigned shift = level * digit_bits;
        const auto slot = static_cast<std::uint64_t>(std::countr_zero(occupied_[level]));
        const std::uint64_t block = present_ >> (shift + digit_bits) << (shift + digit_bits);
        return block + (slot << shift);
    }
    return never;
}

// Comes to the next slot with timers, unless that is after `now`, and takes them out of it.
bool timer_wheel::begin_slot(std::uint64_t now) noexcept {
    const std::uint64_t tick = next_tick();
    if (tick == never || tick > now) return false;
    if (heads_[expired] != none) return true;
    present_ = tick;
    for (unsigned level = 0; level < levels; ++level) {
        if (occupied_[level] == 0) continue;
        const auto slot = static_cast<std::uint32_t>(std::countr_zero(occupied_[level]));
        const auto list = static_cast<std::uint16_t>(level * slots + slot);
        while (heads_[list] != none) {
            const std::uint32_t first = heads_[list];
            node& which = nodes_[first];
            unlink(which);
            link_to(first, which, expired);
        }
        return true;
    }
    return false;
}

void timer_wheel::link(std::uint32_t slot, node& which) noexcept {
    which.tick = std::min(which.tick, tick_max);
    const std::uint64_t tick = std::max(which.tick, present_ + 1);
    const std::uint64_t difference = (tick ^ present_) & tick_max;
    const unsigned level = (static_cast<unsigned>(std::bit_width(difference | 1)) - 1) / digit_bits;
    const auto digit = static_cast<std::uint32_t>((tick >> (level * digit_bits)) & (slots - 1));
    link_to(slot, which, static_cast<std::uint16_t>(level * slots + digit));
}

void timer_wheel::link_to(std::uint32_t slot, node& which, std::uint16_t list) noexcept {
    which.list = list;
    which.previous = none;
    which.next = heads_[list];
    if (which.next != none) nodes_[which.next].previous = slot;
    heads_[list] = slot;
    if (list < expired) occupied_[list / slots] |= std::uint64_t{1} << (list % slots);
}

void timer_wheel::unlink(const node& which) noexcept {
    if (which.next != none) {
        nodes_[which.next].previous = which.previous;
    } else if (which.list == unplaced) {
        oldest_unplaced_ = which.previous;
    }
    if (which.previous != none) {
        nodes_[which.previous].next = which.next;
        return;
    }
    heads_[which.list] = which.next;
    if (which.next == none && which.list < expired) {
        occupied_[which.list / slots] &= ~(std::uint64_t{1} << (which.list % slots));
    }
}

void timer_wheel::release(std::uint32_t slot, node& which) noexcept {
    ++which.generation;
    nodes_.give_back(slot);
}

}  // namespace ioring::detail
