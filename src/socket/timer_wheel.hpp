// SPDX-License-Identifier: MIT
// timer_wheel.hpp - any number of timers for the price of one wait of the kernel's.
//
// A hierarchical wheel: seven levels of 64 slots. A timer lies in the level of the highest digit
// (of base 64) in which its tick differs from the present one; when the wheel comes to its slot it
// moves down, at most six times in its life. Arming, moving and cancelling are O(1), and so is the
// question when to look next.
//
// Time is in ticks of the caller's choice (the manager's are milliseconds) since the wheel began.
// Threads: one.
#pragma once

#include <array>
#include <cstdint>

#include "socket/block_pool.hpp"

namespace ioring::detail {

// Names a timer until it has fired or was cancelled; stale from then on.
struct timer_key {
    std::uint32_t slot = ~std::uint32_t{0};
    std::uint32_t generation = 0;  // 0 is never given out.

    [[nodiscard]] constexpr bool valid() const noexcept { return generation != 0; }
};

class timer_wheel {
public:
    // 139 years of milliseconds; a later tick is this one.
    static constexpr std::uint64_t tick_max = (std::uint64_t{1} << 42U) - 1;
    static constexpr std::uint64_t never = ~std::uint64_t{0};

    timer_wheel() noexcept { heads_.fill(none); }

    // Fires in the first advance() to `tick` or later; one that has passed, in the next advance()
    // to a later tick than the present one. An invalid key when there is no memory.
    [[nodiscard]] timer_key arm(std::uint64_t tick, std::uint64_t payload) noexcept;
    // The same, but its tick is found out later: at the next place(), which is asked with `delay`.
    // Until then it cannot fire, and cancelling it touches nothing but its neighbours.
    [[nodiscard]] timer_key arm_later(std::uint64_t delay, std::uint64_t payload) noexcept;
    // Calls tick_of(delay) for each timer that waits for it, in the order of arming.
    template <class TickOf>
    void place(TickOf&& tick_of) noexcept {
        while (oldest_unplaced_ != none) {
            const std::uint32_t slot = oldest_unplaced_;
            node& which = nodes_[slot];
            unlink(which);
            which.tick = tick_of(which.tick);
            link(slot, which);
        }
    }
    // As cancel() and arm() with the same payload and key. False when the key is stale.
    bool move(timer_key key, std::uint64_t tick) noexcept;
    // It will not fire. False when the key is stale.
    bool cancel(timer_key key) noexcept;

    // Comes to `now` and calls fire(payload) for each timer that is due, in the order of ticks; the
    // key is stale by then. fire() may arm and cancel. Time that goes back is no time.
    template <class Fire>
    void advance(std::uint64_t now, Fire&& fire) noexcept {
        if (now > tick_max) now = tick_max;
        while (begin_slot(now)) {
            while (heads_[expired] != none) {
                const std::uint32_t slot = heads_[expired];
                node& which = nodes_[slot];
                unlink(which);
                if (which.tick > present_) {
                    link(slot, which);
                    continue;
                }
                const std::uint64_t payload = which.payload;
                release(slot, which);
                fire(payload);
            }
        }
        if (now > present_) present_ = now;
    }

    // The tick at which to call advance(): no timer fires before it, though at it there may be none
    // yet. `never` when there are no timers. Those that are not placed do not count.
    [[nodiscard]] std::uint64_t next_tick() const noexcept;
    [[nodiscard]] std::uint64_t present() const noexcept { return present_; }
    [[nodiscard]] std::uint32_t armed() const noexcept { return nodes_.in_use(); }
    // Guarantees that `count` timers can be armed without an allocation.
    [[nodiscard]] bool reserve(std::uint32_t count) noexcept { return nodes_.reserve(count); }

private:
    static constexpr unsigned digit_bits = 6;
    static constexpr std::uint32_t slots = 1U << digit_bits;
    static constexpr unsigned levels = 7;
    static constexpr std::uint16_t expired = levels * slots;  // The list of what begin_slot() took.
    static constexpr std::uint16_t unplaced = expired + 1;    // The list that place() empties.
    static constexpr std::uint32_t none = ~std::uint32_t{0};

    struct node {
        std::uint32_t next = none;
        std::uint32_t previous = none;
        std::uint64_t tick = 0;  // A delay while it is not placed.
        std::uint64_t payload = 0;
        std::uint32_t generation = 0;  // Even: free.
        std::uint16_t list = 0;
    };

    // nullptr when the key is stale.
    [[nodiscard]] node* find(timer_key key) noexcept {
        if (key.slot >= nodes_.end() || (key.generation & 1U) == 0) return nullptr;
        node& which = nodes_[key.slot];
        return which.generation == key.generation ? &which : nullptr;
    }
    [[nodiscard]] node* take(std::uint32_t& slot, std::uint64_t tick,
                             std::uint64_t payload) noexcept;
    [[nodiscard]] bool begin_slot(std::uint64_t now) noexcept;
    void link(std::uint32_t slot, node& which) noexcept;
    void link_to(std::uint32_t slot, node& which, std::uint16_t list) noexcept;
    void unlink(const node& which) noexcept;
    void release(std::uint32_t slot, node& which) noexcept;

    std::uint64_t present_ = 0;
    std::array<std::uint64_t, levels> occupied_{};  // A bit a slot.
    std::array<std::uint32_t, levels * slots + 2> heads_;
    std::uint32_t oldest_unplaced_ = none;  // The last of its list.
    block_pool<node> nodes_;
};

}  // namespace ioring::detail
