// SPDX-License-Identifier: MIT
// records.hpp - what a manager keeps beside the cache line of each socket.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ioring/endpoint.hpp"
#include "ioring/ring_buffer.hpp"
#include "ioring/socket_event.hpp"
#include "socket/timer_wheel.hpp"

namespace ioring::detail {

// The top byte of the manager's user_data, and of the payload of its timers.
enum class op_kind : std::uint8_t {
    accept = 0xc0,
    receive,
    send,
    connect,
    shed,  // An accept whose connection is closed at once.
    cancel_accept,
    cancel_receive,
    cancel_send,
    cancel_connect,
};
enum class timer_kind : std::uint8_t { connection, listener, program, relief, lag };

namespace socket_flag_bit {
inline constexpr std::uint32_t ready = 1U << 0U;  // In the list of that name, and so on.
inline constexpr std::uint32_t dirty = 1U << 1U;
inline constexpr std::uint32_t starved = 1U << 2U;
inline constexpr std::uint32_t borrower = 1U << 3U;
inline constexpr std::uint32_t receive_cancelled = 1U << 4U;  // The one in flight is being ended.
inline constexpr std::uint32_t send_cancelled = 1U << 5U;
inline constexpr std::uint32_t connect_cancelled = 1U << 6U;
inline constexpr std::uint32_t give_up = 1U << 7U;  // Everything in flight is to be cancelled.
inline constexpr std::uint32_t paused = 1U << 8U;   // By the program.
inline constexpr std::uint32_t full = 1U << 9U;     // Too much is unread.
inline constexpr std::uint32_t blocked = 1U << 10U;
inline constexpr std::uint32_t wants_drained = 1U << 11U;
inline constexpr std::uint32_t end_told = 1U << 12U;  // The peer_closed event was given.
inline constexpr std::uint32_t evicting = 1U << 13U;  // The send is cancelled for its chunks.
inline constexpr std::uint32_t resets = 1U << 14U;    // Closing sends a reset.
inline constexpr std::uint32_t outbound = 1U << 15U;
inline constexpr std::uint32_t told = 1U << 16U;    // The closed event was given.
inline constexpr std::uint32_t polled = 1U << 17U;  // There is something to receive.
}  // namespace socket_flag_bit

namespace pending_event {  // In the order in which they are delivered.
inline constexpr std::uint16_t accepted = 1U << 0U;
inline constexpr std::uint16_t connected = 1U << 1U;
inline constexpr std::uint16_t received = 1U << 2U;
inline constexpr std::uint16_t send_blocked = 1U << 3U;
inline constexpr std::uint16_t writable = 1U << 4U;
inline constexpr std::uint16_t drained = 1U << 5U;
inline constexpr std::uint16_t peer_closed = 1U << 6U;
inline constexpr std::uint16_t closed = 1U << 7U;
}  // namespace pending_event

// The part of a connection of which a message touches the first line only.
struct alignas(64) cold_state {
    static constexpr std::uint32_t none = ~std::uint32_t{0};

    void* user = nullptr;
    // Ticks.
    std::uint64_t active_at = 0;
    std::uint64_t received_at = 0;
    std::uint64_t progress_at = 0;  // Bytes were sent, or the first ones queued.
    std::uint64_t timer_tick = timer_wheel::never;
    timer_key timer{};
    std::uint32_t sending_bytes = 0;  // Of the send in flight.
    // Sources that wait for room here, and the one that this source waits for.
    std::uint32_t first_waiter = none;
    std::uint32_t waits_for = none;
    int error = 0;  // errno

    std::byte* chunk = nullptr;  // Of the receive in flight, where the manager polls first.
    std::uint64_t deadline = timer_wheel::never;
    std::uint64_t handshake_by = timer_wheel::never;
    listener_id listener;
    std::uint32_t next_waiter = none;
    std::uint32_t previous_waiter = none;
    std::uint32_t next_free = none;
    std::uint32_t next_starved = none;
    std::uint32_t next_borrower = none;
    close_reason reason = close_reason::none;
    endpoint peer;
};
// With its cache line, far from the bound of 1 KiB for an idle connection.
static_assert(sizeof(cold_state) <= 320);

// Received bytes where the kernel has put them.
struct chunk_record {
    std::byte* begin = nullptr;
    std::uint32_t bytes = 0;
    std::uint32_t read = 0;  // Of these, consumed or forwarded.
    std::uint32_t next = 0;  // Of the same connection; the last one's is the first.
    std::uint32_t refs = 0;  // One for being unread, one for each piece.
    bool owned = false;      // Memory of its own, because the kernel's was scarce.
};

// A ring_buffer of unread bytes, before which there may be forwarded ones that are not sent yet. It
// outlives its connection until those are.
struct ring_record {
    ring_buffer* buffer = nullptr;
    std::uint32_t owner = 0;  // Slot, unless it is an orphan.
    std::uint32_t held = 0;   // Forwarded (or consumed behind those), from the buffer's head on.
    std::uint32_t first_piece = ~std::uint32_t{0};  // Of them, in order.
    std::uint32_t last_piece = ~std::uint32_t{0};
    std::uint32_t next = 0;
    bool orphan = false;
};

enum class piece_kind : std::uint8_t {
    written,  // Bytes in the connection's send buffer.
    chunk,    // In a chunk_record.
    ring,     // In a ring_record.
    owned,    // In memory of its own.
};

// Bytes to be sent.
struct piece_record {
    std::byte* data = nullptr;
    std::byte* memory = nullptr;  // Of an owned one.
    std::uint32_t bytes = 0;
    std::uint32_t memory_bytes = 0;
    std::uint32_t freed = 0;   // Of a ring's: sent, and not given back to the ring.
    std::uint32_t behind = 0;  // Bytes of the ring behind it that were consumed.
    std::uint32_t next = 0;    // In the queue; the last one's is the first.
    std::uint32_t next_in_ring = ~std::uint32_t{0};
    std::uint32_t source = 0;  // The chunk or ring.
    piece_kind kind = piece_kind::written;
    bool done = false;
};

// A timer of the program's.
struct timer_record {
    std::uint64_t user_data = 0;
    timer_key key{};
    std::uint32_t next = 0;
    std::uint32_t generation = 0;  // Odd: armed, or fired and not told.
    bool fired = false;
    bool cancelled = false;
};

// A queue of slots; the links are in the sockets or their cold state.
struct slot_list {
    std::uint32_t first = ~std::uint32_t{0};
    std::uint32_t last = ~std::uint32_t{0};

    [[nodiscard]] bool empty() const noexcept { return first == ~std::uint32_t{0}; }
    // `link` gives a slot's link.
    template <class Link>
    void push(std::uint32_t slot, Link&& link) noexcept {
        link(slot) = ~std::uint32_t{0};
        (empty() ? first : link(last)) = slot;
        last = slot;
    }
    template <class Link>
    std::uint32_t pop(Link&& link) noexcept {
        const std::uint32_t slot = first;
        first = link(slot);
        if (empty()) last = ~std::uint32_t{0};
        return slot;
    }
};

}  // namespace ioring::detail
