// SPDX-License-Identifier: MIT
// flights.hpp - what the system has in hand: pending operations, and the sockets that they are of.
//
// A flight is one pending call. It stays where it is until its packet has come, whatever becomes of
// the operation that it was begun for. So does the socket_state of its socket: a closed socket's is
// kept, out of everybody's reach, until its last flight has landed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "backend/emulation/growing_array.hpp"
#include "backend/emulation/waiting_queue.hpp"
#include "backend/iocp/system.hpp"

namespace ioring::backends::iocp {

using emulation::operation;
using emulation::waiting_queue;

struct socket_state;

struct flight {
    enum class kind : std::uint8_t { receive, readable, send, accept, connect, poll };

    overlapped system;  // First: packets name a flight by it.
    socket_state* of = nullptr;
    operation* op = nullptr;  // nullptr: nobody waits for it any more.
    flight* next = nullptr;   // Of its socket; or of the free ones; or of a listener's ready ones.
    flight* previous = nullptr;
    socket_handle accepted = no_socket;
    kind what = kind::receive;
    std::uint32_t events = 0;  // Of a poll: what it waits for.
    bool cancelled = false;    // The system has been asked to end it.
    union {
        std::array<std::byte, 2 * accept_address_bytes> addresses;
        poll_request poll;
        message sent;
    } room{};
};

struct socket_state {
    socket_handle handle = no_socket;
    std::int32_t slot = -1;  // -1: closed.
    std::uint32_t generation = 0;
    bool stream = false;
    bool listening = false;
    bool known_connection = false;  // Not a listener, on which a receive might wait for ever.
    bool read_ended = false;        // A reset was told, or we have shut it down: receives say 0.
    bool write_ended = false;       // Likewise: sends say -EPIPE.
    bool listed = false;            // In the list of those that go on without a packet.

    // First come first served; what the head of `reads` and `writes` waits for is in flight.
    waiting_queue reads;
    waiting_queue writes;
    waiting_queue accepts;
    waiting_queue polls;
    flight* reading = nullptr;
    flight* readable = nullptr;
    flight* writing = nullptr;
    flight* connecting = nullptr;
    std::int32_t read_error = 0;  // What `readable` has ended with, for the next receive.

    flight* first = nullptr;  // All that are pending.
    std::uint32_t flights = 0;
    std::uint32_t accepting = 0;        // Of those, accepts that were not asked to end.
    std::uint32_t accepts_waiting = 0;  // Operations in `accepts`; a multishot one is accepts_max.
    flight* ready = nullptr;            // Accepted, and nobody had asked for them. Not in flight.
    flight* ready_last = nullptr;

    operation* closer = nullptr;    // Ends when the last flight has landed ...
    std::int32_t close_result = 0;  // ... with this.
    socket_state* next = nullptr;   // Of the free ones, the draining ones or those listed.
    socket_state* previous = nullptr;
};

// Both kinds, made by the chunk and never given back before the end.
class flight_pool {
public:
    flight_pool() = default;
    flight_pool(const flight_pool&) = delete;
    flight_pool& operator=(const flight_pool&) = delete;
    // Leaks everything if a flight is pending: the system may still write to it.
    ~flight_pool();

    // A flight of `of`, linked to it, or nullptr: no memory.
    [[nodiscard]] flight* take(socket_state& of, flight::kind what, operation* op) noexcept;
    // It has landed, or never took off.
    void unlink(flight& done) noexcept;
    void give_back(flight& done) noexcept;
    [[nodiscard]] std::uint32_t pending() const noexcept { return pending_; }

    [[nodiscard]] socket_state* take_state() noexcept;
    void give_back(socket_state& done) noexcept;

private:
    static constexpr std::size_t chunk_items = 64;

    template <class Item>
    struct chunk {
        std::array<Item, chunk_items> items{};
        chunk* next = nullptr;
    };
    template <class Item>
    struct store {
        chunk<Item>* chunks = nullptr;
        Item* free = nullptr;

        [[nodiscard]] Item* take() noexcept;
        void give_back(Item& done) noexcept;
        void release() noexcept;
    };

    store<flight> flights_;
    store<socket_state> states_;
    std::uint32_t pending_ = 0;
};

// Which state belongs to which number of the process's socket table.
class state_table {
public:
    // nullptr: none was ever made.
    [[nodiscard]] socket_state* find(std::int32_t slot) noexcept {
        const auto index = static_cast<std::size_t>(static_cast<std::uint32_t>(slot));
        return index < states_.size() ? states_[index] : nullptr;
    }
    [[nodiscard]] std::size_t size() const noexcept { return states_.size(); }
    // False: no memory.
    [[nodiscard]] bool make_room(std::int32_t slot) noexcept {
        return states_.grow_to(static_cast<std::size_t>(slot) + 1);
    }
    // Precondition: there is room.
    void put(std::int32_t slot, socket_state* state) noexcept {
        states_[static_cast<std::size_t>(slot)] = state;
    }

private:
    emulation::growing_array<socket_state*> states_;
};

}  // namespace ioring::backends::iocp
