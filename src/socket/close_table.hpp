// SPDX-License-Identifier: MIT
// close_table.hpp - how a managed connection begins and ends: one table, no I/O.
//
// A connection is a phase and a few facts. What happens to it (a completion, a call of the program,
// a deadline) is an event; step() finds the one row of the table for it, and the row names the next
// phase and what the manager has to do. The order that no row breaks:
//
//     stop new work -> flush -> shutdown -> every last completion read -> descriptor closed
//     -> closed event delivered -> buffers given back and the slot free for another connection
//
// close_table_test.cpp runs this very table through all interleavings up to a bound, and without
// each row in turn. docs/close-protocol.md is rendered from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ioring::detail {

enum class close_phase : std::uint8_t {
    free,        // No connection; the slot may be taken.
    connecting,  // An outbound connect is in flight.
    open,        // Bytes go both ways, or one way once either side has ended.
    flushing,    // To be closed once what is unsent was sent.
    lingering,   // All is sent and said; what the peer still sends is thrown away until it ends.
    ending,      // Given up: waits for the last completions of what is in flight, all cancelled.
    closed,      // The descriptor is closed; the closed event is on its way.
};
inline constexpr std::size_t close_phases = 7;

enum class close_event : std::uint8_t {
    accepted,
    connect_armed,
    connected,
    connect_failed,
    recv_armed,
    received,       // Bytes, and the receive goes on.
    received_last,  // Bytes, and the receive has ended.
    recv_stopped,   // Ended without bytes or meaning: cancelled, no buffers, interrupted.
    recv_end,       // The peer has ended its side.
    recv_failed,
    wrote,   // The program has queued bytes.
    finish,  // It will queue no more: the peer is told so once all is sent.
    send_armed,
    sent,          // The send has ended, and more is queued.
    flushed,       // The send has ended, and nothing is queued.
    send_stopped,  // Ended without meaning.
    send_failed,
    close,     // The program, or the manager in its name, wants an orderly end.
    abort,     // ... an end at once, by a reset.
    deadline,  // The time of the phase is over.
    delivered,
};
inline constexpr std::size_t close_events = 21;

// What is known of a connection beside its phase.
namespace close_fact {
inline constexpr std::uint8_t recv = 1U << 0U;       // A receive's last completion is not read yet.
inline constexpr std::uint8_t send = 1U << 1U;       // A send's.
inline constexpr std::uint8_t connect = 1U << 2U;    // A connect's.
inline constexpr std::uint8_t unsent = 1U << 3U;     // Bytes are queued, or in a send in flight.
inline constexpr std::uint8_t ended = 1U << 4U;      // The peer has ended its side.
inline constexpr std::uint8_t finishing = 1U << 5U;  // The program has ended ours ...
inline constexpr std::uint8_t finished = 1U << 6U;   // ... and the peer was told (shutdown_write).
inline constexpr std::size_t kept = 7;               // So many bits.
// Never kept: any of the first three, for rows to ask.
inline constexpr std::uint8_t busy = 1U << 7U;
}  // namespace close_fact

namespace close_action {
inline constexpr std::uint16_t announce_open = 1U << 0U;
inline constexpr std::uint16_t announce_end = 1U << 1U;      // The peer has ended its side.
inline constexpr std::uint16_t announce_drained = 1U << 2U;  // All that was queued is sent.
inline constexpr std::uint16_t announce_closed = 1U << 3U;
inline constexpr std::uint16_t deliver = 1U << 4U;       // The bytes are the program's.
inline constexpr std::uint16_t discard = 1U << 5U;       // All unread bytes are thrown away.
inline constexpr std::uint16_t may_recv = 1U << 6U;      // A receive may be armed.
inline constexpr std::uint16_t may_send = 1U << 7U;      // A send may be armed.
inline constexpr std::uint16_t set_deadline = 1U << 8U;  // Anew, for the next phase.
inline constexpr std::uint16_t stop_deadline = 1U << 9U;
inline constexpr std::uint16_t shutdown_write = 1U << 10U;
inline constexpr std::uint16_t cancel = 1U << 11U;  // All that is in flight.
inline constexpr std::uint16_t reset = 1U << 12U;   // Closing shall send a reset.
inline constexpr std::uint16_t close_descriptor = 1U << 13U;
inline constexpr std::uint16_t release = 1U << 14U;  // Buffers and slot, under a new generation.
}  // namespace close_action

struct close_row {
    close_phase from;
    std::uint32_t on;    // Events, a bit each.
    std::uint8_t mask;   // Of the facts after the event, these ...
    std::uint8_t facts;  // ... must be so.
    close_phase to;
    std::uint16_t actions;
};

[[nodiscard]] constexpr std::uint32_t on(close_event which) noexcept {
    return 1U << static_cast<unsigned>(which);
}

struct close_state {
    close_phase phase = close_phase::free;
    std::uint8_t facts = 0;

    friend constexpr bool operator==(const close_state&, const close_state&) noexcept = default;
};

struct close_step {
    close_state next;
    std::uint16_t actions = 0;
};

// The production table; of all rows that fit a state and an event there is exactly one.
[[nodiscard]] std::span<const close_row> close_table() noexcept;

// The facts of `state` after `event`, before any row is looked at.
[[nodiscard]] std::uint8_t facts_after(close_state state, close_event event) noexcept;

// Pure. Nothing when no row fits: `event` cannot happen in `state`, and the caller has a bug.
[[nodiscard]] std::optional<close_step> step(std::span<const close_row> table, close_state state,
                                             close_event event) noexcept;

// As above by the production table, found without a search; a bug ends the program in debug builds
// and is ignored (no actions) in others.
[[nodiscard]] close_step step(close_state state, close_event event) noexcept;

[[nodiscard]] std::string_view to_string(close_phase which) noexcept;
[[nodiscard]] std::string_view to_string(close_event which) noexcept;
// docs/close-protocol.md, all of it.
[[nodiscard]] std::string render_close_protocol();

}  // namespace ioring::detail
