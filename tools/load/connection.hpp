// SPDX-License-Identifier: MIT
// connection.hpp - one of the load's connections: how far it is, in messages and in bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ioring/fd.hpp"
#include "ioring/user_data.hpp"

namespace load {

// What a completion is of; the slot in its user_data is the connection's index.
enum class op : std::uint8_t { connect, receive, send, cancel };

enum class phase : std::uint8_t {
    waiting,     // Not connected yet, nothing in flight.
    connecting,  // A connect is in flight.
    open,        // Carries messages.
    finishing,   // Everything came back and our side is shut; the server's end is awaited.
    closing,     // Shut both ways; operations in flight are awaited.
    closed,
};

struct connection {
    static constexpr std::uint64_t none = ~std::uint64_t{0};

    ioring::fd socket;
    load::phase phase = load::phase::waiting;
    bool connecting = false;           // A connect is in flight,
    bool receiving = false;            // a receive is,
    bool sending = false;              // a send is, from send_data.
    bool listed = false;               // It waits for its turn to send.
    std::uint32_t address = 0;         // Of the server's addresses, the one being tried.
    std::uint32_t addresses_left = 0;  // Others to try after it.
    std::uint32_t place = 0;           // In the schedule's round. Open loop only.

    // Positions in the stream, which is the messages one after the other.
    std::uint64_t key = 0;             // pattern::stream_key
    std::uint64_t bytes_sent = 0;      // Handed to the ring.
    std::uint64_t bytes_received = 0;  // And verified.
    std::uint64_t message_end = 0;     // Where the oldest unfinished message ends.

    std::uint64_t due = 0;               // Messages that the schedule has given it. Open loop only.
    std::uint64_t started = 0;           // Messages whose first byte was due to be sent.
    std::uint64_t finished = 0;          // Messages whose last byte has come back.
    std::uint64_t measured_from = none;  // The first message that counts.
    std::uint32_t oldest_start = 0;      // Where its time is in the connection's part of the times.
    std::uint32_t next_start = 0;

    std::int64_t progress_ns = 0;  // When something was last heard of it while that was due.

    std::byte* send_data = nullptr;
    std::uint32_t send_bytes = 0;  // In flight,
    std::uint32_t send_done = 0;   // of which an earlier short send took so many.

    [[nodiscard]] std::uint64_t in_flight() const noexcept { return started - finished; }
    [[nodiscard]] bool busy() const noexcept { return connecting || receiving || sending; }
};

[[nodiscard]] inline std::uint64_t tag(op kind, std::uint32_t index) noexcept {
    return ioring::user_data{kind, index};
}

}  // namespace load
