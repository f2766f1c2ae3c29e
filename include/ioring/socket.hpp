// SPDX-License-Identifier: MIT
// socket.hpp - one connection of a socket_manager: what came, what is to go, and its end.
//
// Bytes that came are readable() until they are consumed or forwarded. Bytes written are taken as
// far as there is room; how many were is what the call returns, and an event tells when there is
// room again. A connection ends once, with one closed event, whatever the program forgets.
//
// Lifetime: a socket is a place in its manager's table. The pointer is good until the call of
// poll() after the one that brought its closed event; keep its id() for longer, which reaches
// nobody else ever. After the end every call does nothing and returns 0 or an empty span.
// Spans are good until the next poll(), or the next call on this socket that changes them.
// Threads: the ring's.
// Nothing here calls the system, but close() and shutdown_write() of a connection with nothing
// unsent, and abort().
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>

#include "ioring/endpoint.hpp"
#include "ioring/fd.hpp"

namespace ioring {

class ring_buffer;

namespace detail {
class manager_state;
}

// Names a connection of a manager, or one that was. The place is used again, the generation (32
// bits) is not.
struct socket_id {
    std::uint32_t slot = 0;        // A place of the manager's table.
    std::uint32_t generation = 0;  // 0 is never given out.

    // It was given out once; it may be over.
    [[nodiscard]] constexpr bool valid() const noexcept { return generation != 0; }
    // The same one.
    friend constexpr bool operator==(socket_id, socket_id) noexcept = default;
};

// Names a listener of a manager, likewise.
struct listener_id {
    std::uint32_t slot = 0;        // A place of the manager's table.
    std::uint32_t generation = 0;  // 0 is never given out.

    // It was given out once; it may be over.
    [[nodiscard]] constexpr bool valid() const noexcept { return generation != 0; }
    // The same one.
    friend constexpr bool operator==(listener_id, listener_id) noexcept = default;
};

// A cache line: all that a message touches.
class alignas(64) socket {
public:
    // A place of a table is not copied.
    socket(const socket&) = delete;
    // A place of a table is not copied.
    socket& operator=(const socket&) = delete;

    // Its name, which may be kept.
    [[nodiscard]] socket_id id() const noexcept;
    // The listener that accepted it; not valid() for a connection of connect().
    [[nodiscard]] listener_id listener() const noexcept;
    // The peer's address; unspecified when it was gone before we could ask.
    [[nodiscard]] const endpoint& peer() const noexcept;
    // Whatever the program wants to find again; nullptr at first.
    [[nodiscard]] void* user() const noexcept;
    // Sets it; the manager never looks at it.
    void set_user(void* user) noexcept;
    // For what this class has no call for (socket options). The manager's: do not close it.
    [[nodiscard]] fd descriptor() const noexcept { return fd_; }
    // Between its accepted or connected event and the beginning of its end.
    [[nodiscard]] bool is_open() const noexcept;

    // --- what came ---------------------------------------------------------------------------

    // The unread bytes, in one range. There may be more behind them (unread_bytes()): they become
    // readable when these are consumed, and are announced by a received event of their own. What
    // such an event has shown and is left unread until the next poll() is joined with them.
    [[nodiscard]] std::span<const std::byte> readable() const noexcept;
    // All that came and was not consumed or forwarded, readable() or behind it.
    [[nodiscard]] std::uint32_t unread_bytes() const noexcept { return unread_; }
    // The peer has ended its side: beyond unread_bytes() nothing will come. Where there are some,
    // and so no peer_closed event yet, they are announced once more, so that a program that waits
    // for more (half a request) can give up.
    [[nodiscard]] bool peer_has_ended() const noexcept;
    // The first `bytes` of readable(), or all of it, are done with.
    void consume(std::size_t bytes) noexcept;
    // Receive no more (what the system has taken already stays with it) until resume_recv().
    void pause_recv() noexcept;
    // Ends pause_recv(); nothing when it was not called.
    void resume_recv() noexcept;

    // --- what is to go -----------------------------------------------------------------------

    // Copies as many bytes as there is room for, in order, to be sent at the end of this turn.
    // Returns how many; fewer than all brings a send_blocked event and, once there is room, a
    // writable one, and unread bytes are announced again.
    std::size_t write(std::span<const std::byte> bytes) noexcept;
    // Room to write into in place; the first commit_write(n) bytes of it are then as if written.
    // Empty when there are fewer than `least` bytes of it, which counts as a write that was cut;
    // more than options.buffer_bytes there never are.
    [[nodiscard]] std::span<std::byte> writable(std::size_t least = 1) noexcept;
    // Takes the first `bytes` of writable(), at most all of it, as written.
    void commit_write(std::size_t bytes) noexcept;
    // Sends the first `bytes` of readable() from where they are, and so consumes them. Returns how
    // many: fewer than all when there is no room, as with write(). They are copied only when memory
    // is scarce, and few of them behind written ones, with which they are sent.
    std::size_t forward(std::size_t bytes) noexcept { return forward_to(*this, bytes); }
    // As forward(), to another connection of the same manager: 0 for any other. When `other` has no
    // room, it gets the send_blocked and writable events, and the bytes that are unread here are
    // announced again together with the latter.
    std::size_t forward_to(socket& other, std::size_t bytes) noexcept;
    // Written or forwarded, and not yet taken by the system.
    [[nodiscard]] std::uint32_t unsent_bytes() const noexcept { return unsent_; }
    // One drained event when unsent_bytes() comes to 0; at once when it is.
    void notify_drained() noexcept;

    // --- its end -----------------------------------------------------------------------------

    // An end of this side alone: what is unsent is sent, and then the peer is told (FIN). From here
    // on writes take nothing and bring no events, while bytes still come until the peer has ended
    // its side too; the closed event follows by itself then, allow_half_open or not. What is
    // forwarded elsewhere from here goes on. Does nothing before the connection stands and after
    // close().
    void shutdown_write() noexcept;
    // An orderly end: what is unread is thrown away, what is unsent is sent, the peer is told (FIN)
    // and waited for; after options.drain_timeout it is reset. Then the closed event.
    void close() noexcept;
    // An end at once: the peer sees a reset. Then the closed event.
    void abort() noexcept;
    // Ends the handshake: options.handshake_timeout counts no more.
    void finish_handshake() noexcept;

private:
    friend class detail::manager_state;

    socket() noexcept = default;
    ~socket() = default;

    static constexpr std::uint32_t none = ~std::uint32_t{0};

    detail::manager_state* manager_ = nullptr;
    ring_buffer* out_ = nullptr;  // Written bytes; lent while there are any.
    fd fd_;
    std::uint32_t generation_ = 0;
    std::uint32_t in_ = none;  // Unread bytes of earlier turns; lent while there are any.
    std::uint32_t unread_ = 0;
    std::uint32_t unsent_ = 0;
    std::uint32_t last_chunk_ = none;  // Unread bytes of this turn: a circle, its first is next.
    std::uint32_t last_piece_ = none;  // What is to be sent, in order: a circle likewise.
    std::uint32_t next_ready_ = none;  // With events to deliver.
    std::uint32_t next_dirty_ = none;  // To be looked at before the next wait.
    std::uint32_t flags_ = 0;
    std::uint16_t pending_ = 0;  // Events to deliver, a bit each.
    std::uint8_t phase_ = 0;
    std::uint8_t facts_ = 0;
};
static_assert(sizeof(socket) == 64);

}  // namespace ioring
