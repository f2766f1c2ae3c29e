// SPDX-License-Identifier: MIT
// sockets.hpp - the descriptors of one run: connections with both ends, listeners, and their state.
//
// Names are indices, so that two runs call the same socket by the same name whatever its number.
// Both ends of each connection are here: one is mostly the ring's, the other mostly used by plain
// calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "differential/program.hpp"

namespace ioring::differential {

enum class socket_kind : std::uint8_t {
    stream,  // An end of a connection.
    listener,
    fresh,       // Not yet connected, bound or listening.
    connecting,  // A connect of the ring is under way.
    failed,      // It failed: what the socket is good for now differs.
    other,       // No socket at all.
};

struct socket_slot {
    static constexpr std::int32_t none = -1;

    int fd = -1;  // -1 once closed.
    socket_kind kind = socket_kind::stream;
    bool tcp = false;
    bool small = false;          // Its send buffer.
    bool ours = false;           // Rather for the ring than for plain calls.
    bool hung_up = false;        // One of the ends was shut, closed or reset in some direction.
    bool soon = false;           // Connecting: it will be connected whoever uses it next.
    bool known_to_ring = false;  // An operation was on it.
    bool going = false;          // A close is under way: no longer to be chosen.
    std::int32_t other = none;   // The other end's name.
    std::uint64_t written = 0;   // Bytes sent from here, as far as is known.
    std::uint64_t taken = 0;     // Bytes received here.
    std::int32_t target = none;  // Whence it connected: the listener's name.
    std::int32_t accepted_as = none;  // The name of its other end once it was accepted.
    bool refused = false;             // Its listener was closed before it was accepted.
    std::uint32_t waiting = 0;  // Listener: connects that were prepared, less what was accepted.
    std::int32_t due = 0;       // Listener: connects that have succeeded, less what was accepted.
    std::string address;        // Stream: what getsockname says, to know it by at the other end.
};

class sockets {
public:
    sockets();
    ~sockets();
    sockets(const sockets&) = delete;
    sockets& operator=(const sockets&) = delete;

    // Closes everything; leaves nothing in TIME_WAIT.
    void clear();
    void open_pair(connection_kind kind);
    void open_listener(listener_kind kind);
    void open_other();
    // Takes the descriptor in; returns its name.
    std::int32_t add(socket_slot slot);
    // A name for what is yet to come: completions come in any order, names must not.
    std::int32_t reserve();
    // An unconnected socket that a peer will know by its address. Returns its name.
    std::int32_t open_fresh(bool tcp);
    void close(std::int32_t name);

    [[nodiscard]] std::size_t size() const { return slots_.size(); }
    [[nodiscard]] socket_slot& at(std::int32_t name) {
        return slots_[static_cast<std::size_t>(name)];
    }
    [[nodiscard]] const socket_slot& at(std::int32_t name) const {
        return slots_[static_cast<std::size_t>(name)];
    }
    // Bytes that were sent towards `name` and not yet received.
    [[nodiscard]] std::uint64_t unread(std::int32_t name) const;
    // A connection that came in at a listener: its other end is found by its address. Returns the
    // new slot's name.
    std::int32_t add_accepted(int fd, std::int32_t listener);
    // The socket of `address` that has connected to `listener`, or socket_slot::none.
    [[nodiscard]] std::int32_t find_by_address(const std::string& address,
                                               std::int32_t listener) const;

    // Waits, a few milliseconds at most, until what was sent over TCP has arrived.
    void await_delivery();
    void mark_moving(std::int32_t name);
    // What waits at a listener that is closed is reset.
    void refuse_waiting(std::int32_t listener);

    // Where nobody listens.
    [[nodiscard]] std::span<const std::byte> dead_address() const { return dead_address_; }
    [[nodiscard]] std::span<const std::byte> address_of_listener(std::int32_t name) const;

private:
    void open_tcp_pair(int (&ends)[2]);
    void name_connecting();
    [[nodiscard]] bool is_delivered(std::int32_t name) const;

    std::vector<socket_slot> slots_;
    std::vector<std::int32_t> moving_;
    std::vector<std::byte> dead_address_;
    std::vector<std::byte> pair_address_;
    int pair_listener_ = -1;
    int dead_socket_ = -1;  // Bound and never listening, so that nobody gets the port.
};

// Small writes go out at once, whatever was acknowledged.
void set_no_delay(int fd);

// What getsockname() or getpeername() says, as bytes; empty when it says nothing.
[[nodiscard]] std::string own_address(int fd);
[[nodiscard]] std::string peer_address(int fd);

}  // namespace ioring::differential
