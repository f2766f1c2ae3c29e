// SPDX-License-Identifier: MIT
// socket_manager.hpp - connections that always end: events to read, spans to read and write.
//
//     ioring::socket_manager sockets{ring, {.sockets_max = 10'000, .idle_timeout = 60s}};
//     sockets.listen("0.0.0.0:5000");
//     while (running) {
//         for (const ioring::socket_event& event : sockets.poll()) {
//             if (event.type != ioring::event_type::received) continue;
//             event.socket->forward(event.socket->readable().size());
//         }
//     }
//     sockets.drain(5s);
//
// One poll() submits, waits and reaps in one system call. No event is ever lost: what does not fit
// the caller's span comes with the next call. A connection that waits holds no buffers: received
// bytes come in chunks that all share, a buffer of its own is lent to it while it has bytes unread
// or unsent. How a connection ends is docs/close-protocol.md.
//
// Lifetime: the manager uses its ring, which must outlive it and stay where it is. Its end aborts
// what is still open.
// Threads: all of it, sockets included, belongs to the ring's thread. ring::wake() ends a poll()
// from elsewhere, ring::post() makes a completion event.
// The program may use the ring beside it. Of its user_data, those whose top byte is 0xc0 to 0xcf
// are the manager's; completions of all others are events.
// After creation, and once there have been as many connections and unread and unsent bytes as there
// will, nothing allocates.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "ioring/endpoint.hpp"
#include "ioring/ring.hpp"
#include "ioring/socket.hpp"
#include "ioring/socket_event.hpp"

namespace ioring {

// What to do with a connection whose peer does not take what it is sent.
enum class slow_reader_policy : std::uint8_t {
    block,  // Its writes are cut until there is room (and write_stall_timeout ends it at last).
    close,  // The first write that is cut aborts it.
};

// How a socket_manager is made.
struct manager_options {
    using milliseconds = std::chrono::milliseconds;  // The unit of all time-outs.

    static constexpr std::uint32_t sockets_max_max = 1U << 24U;  // Of sockets_max.
    static constexpr std::uint32_t listeners_max = 256;          // Listeners of one manager.
    static constexpr std::uint32_t events_max_max = 1U << 20U;   // Of events_max.
    // Of each time-out.
    static constexpr milliseconds timeout_max = std::chrono::hours{24 * 365};

    // Connections at a time, 1 to sockets_max_max; about 300 bytes of address space each. While
    // there are so many, none is accepted: they wait in the listener's backlog.
    std::uint32_t sockets_max = 1024;
    // Of a connection's receive buffer and of its send buffer, a multiple of
    // ring_buffer::granularity(); they are lent only while there is something in them. Unread bytes
    // beyond it pause receiving, unsent ones cut writes.
    std::uint32_t buffer_bytes = 65'536;
    // Buffers that may be lent at a time, 1 or more; 0: two for each connection.
    std::uint32_t buffers_max = 0;
    // The shared memory that is received into: this many chunks ...
    std::uint32_t chunks = 256;
    // ... of so many bytes.
    std::uint32_t chunk_bytes = 65'536;
    // Unsent bytes: at send_high_bytes a connection is blocked, at send_low_bytes writable again.
    // 0: buffer_bytes and half of it. low < high <= buffer_bytes.
    std::uint32_t send_high_bytes = 0;
    std::uint32_t send_low_bytes = 0;  // Likewise.
    // What to do with a connection that does not take what it is sent.
    slow_reader_policy slow_reader = slow_reader_policy::block;
    // The peer's end of its side ends the connection, once all that it sent was read and all that
    // is unsent has gone. With this the program itself closes, or ends its side (shutdown_write())
    // when it has said all.
    bool allow_half_open = false;
    // Events that poll() without a span gives at most, 1 to events_max_max.
    std::uint32_t events_max = 256;
    // Completions, and received bytes, that one poll() reads at most, so that time passes for all.
    std::uint32_t turn_completions_max = 1024;
    std::uint32_t turn_bytes_max = 8U << 20U;  // Likewise.

    // Overload: who comes waits in the listener's backlog while this or the next is reached. Bytes
    // of buffers that are lent, and of what was copied for want of chunks; it goes on below three
    // quarters of it. The accept_paused event's error is not_enough_memory. 0: no bound.
    std::uint64_t accept_memory_max_bytes = 0;
    // From the end of one wait to the beginning of the next, for which the program keeps
    // completions waiting; it goes on once no turn has taken so long for 50 ms. The event's error
    // is device_or_resource_busy. 0: no bound.
    milliseconds accept_lag_max{0};

    // From connect() to connected. 0: no bound, here and below. Each is kept to the millisecond,
    // never early.
    milliseconds connect_timeout = std::chrono::seconds{10};
    // From accepted or connected to finish_handshake().
    milliseconds handshake_timeout{0};
    // No byte in either direction; closes in order.
    milliseconds idle_timeout{0};
    // No byte from the peer; closes in order.
    milliseconds read_timeout{0};
    // Unsent bytes, of which the peer takes none; aborts.
    milliseconds write_stall_timeout = std::chrono::seconds{30};
    // From close() to the peer's end of its side; then it is reset. Never 0.
    milliseconds drain_timeout = std::chrono::seconds{5};
};

// Errors: invalid_argument; `why` names the field, its value and its range.
[[nodiscard]] std::error_code validate(const manager_options& options, std::string* why = nullptr);

// What a manager has done since its creation.
struct manager_counters {
    std::uint64_t accepted = 0;         // Connections of its listeners.
    std::uint64_t connected = 0;        // Of connect(), those that stood.
    std::uint64_t closed = 0;           // Closed events delivered.
    std::uint64_t reset = 0;            // Of those, ended by a reset from here.
    std::uint64_t refused = 0;          // Reset at once: there was no place, or no descriptor.
    std::uint64_t accept_pauses = 0;    // Times that a listener came to accept nobody.
    std::uint64_t messages = 0;         // Receives that brought bytes.
    std::uint64_t bytes_received = 0;   // All that came.
    std::uint64_t bytes_sent = 0;       // All that the system took.
    std::uint64_t bytes_discarded = 0;  // Came or were unread after close().
    std::uint64_t bytes_copied = 0;     // Received ones, into a connection's own buffers.
    std::uint64_t starvations = 0;      // Receives that found no chunk.
    std::uint64_t evictions = 0;        // Sends that were made to give their chunks back.
    std::uint64_t turns = 0;            // Waits of poll() and drain(); a poll() may need several.
};

// Of this moment. All of it is 0 when there are no connections and no timers of the program's: what
// is not then has leaked.
struct manager_usage {
    std::uint32_t sockets = 0;       // Places taken, as size().
    std::uint32_t buffers_lent = 0;  // Of the pool, for unread and unsent bytes.
    std::uint32_t chunks_held = 0;   // Of the shared ones, with received bytes in them.
    std::uint32_t records = 0;       // Of unread chunks, unsent pieces and buffers.
    std::uint32_t timers = 0;        // Of start_timer(), armed or not told.
    std::uint64_t owned_bytes = 0;   // Memory for bytes that had to leave their chunks.
};

// What became of the connections that were open when drain() began.
struct drain_report {
    std::uint32_t drained = 0;       // All was sent, and the peer ended its side too.
    std::uint32_t abandoned = 0;     // All was sent, but the peer did not end: it was reset.
    std::uint32_t cut = 0;           // Reset with bytes unsent ...
    std::uint64_t bytes_unsent = 0;  // ... so many, of all of them.
    bool complete = false;           // No connection is left. Else the ring has failed.
};

// The connections of one ring. Move-only; see above.
class socket_manager {
public:
    // Makes `out` a manager of connections on `owner`. On an error `out` is unchanged and `why`,
    // when given, is a sentence.
    //
    // Errors: invalid_argument     an option is out of range, or `owner` is no ring
    //         not_enough_memory, too_many_files_open
    [[nodiscard]] static std::error_code create(ring& owner, const manager_options& options,
                                                socket_manager& out,
                                                std::string* why = nullptr) noexcept;
#if defined(__cpp_exceptions)
    // As create(); throws std::system_error.
    explicit socket_manager(ring& owner, const manager_options& options = {});
#endif

    // No manager: nothing can be called but valid() and assignment.
    socket_manager() noexcept;
    // `other` is then none; the assigned one ends as its destructor says. Sockets stay good.
    socket_manager(socket_manager&& other) noexcept;
    socket_manager& operator=(socket_manager&& other) noexcept;
    // Aborts what is open and reads its last completions, a second at most.
    ~socket_manager();
    // There is a manager.
    [[nodiscard]] bool valid() const noexcept { return state_ != nullptr; }

    // --- connections -------------------------------------------------------------------------

    // Accepts at `address` from the next poll() on; addresses and errors as
    // ring::create_listener(). Also no_buffer_space: listeners_max.
    //
    // Without a place for it a connection waits in the system's queue. Without a descriptor it is
    // reset (one at once, and one at each try: after 10 ms, then twice as long, up to 1 s), so that
    // it may try elsewhere: the manager keeps a descriptor in reserve for that.
    [[nodiscard]] std::error_code listen(const endpoint& address, const listen_options& options,
                                         listener_id& out, std::string* why = nullptr) noexcept;
    [[nodiscard]] std::error_code listen(std::string_view address, const listen_options& options,
                                         listener_id& out, std::string* why = nullptr) noexcept;
#if defined(__cpp_exceptions)
    // As above; throws std::system_error.
    listener_id listen(std::string_view address, const listen_options& options = {});
#endif
    // Accepts no more there; its connections stay. False when there is no such listener.
    bool close_listener(listener_id which) noexcept;
    // The bound address, with the port that the system chose; unspecified when there is no such
    // listener.
    [[nodiscard]] endpoint local_endpoint(listener_id which) const noexcept;

    // Begins a connection; `out` is its socket, which connects from the next poll() on: its event
    // is connected, or closed with the error. Errors: no_buffer_space (sockets_max),
    // address_family_not_supported, too_many_files_open.
    [[nodiscard]] std::error_code connect(const endpoint& peer, socket*& out) noexcept;

    // The connection of that id, or nullptr when it is over.
    [[nodiscard]] socket* find(socket_id which) noexcept;
    // Connections; each is gone with the call of poll() after the one that gave its closed event.
    [[nodiscard]] std::uint32_t size() const noexcept;

    // --- events ------------------------------------------------------------------------------

    // Sends and receives what is prepared, waits for at most `timeout` until there is an event, and
    // gives those that there are. Empty when there are none in that time, or after ring::wake() or
    // a signal. The span is good until the next call.
    [[nodiscard]] std::span<const socket_event> poll(
        std::chrono::nanoseconds timeout = ring::forever) noexcept;
    // As above, into the caller's span; returns how many. The rest comes with the next call.
    [[nodiscard]] std::size_t poll(std::span<socket_event> out,
                                   std::chrono::nanoseconds timeout = ring::forever) noexcept;
    // None, or why the ring can do nothing any more (a forked child, a backend that failed).
    [[nodiscard]] std::error_code error() const noexcept;

    // Stops accepting, closes every connection in order, and waits until all have ended or
    // `timeout` is over or ring::wake() was called, when the rest is reset. Events that come
    // meanwhile are not delivered.
    drain_report drain(std::chrono::nanoseconds timeout) noexcept;

    // --- timers ------------------------------------------------------------------------------

    // Names a timer, or one that was.
    struct timer_id {
        std::uint32_t slot = ~std::uint32_t{0};  // A place of the manager's table.
        std::uint32_t generation = 0;            // 0 is never given out.
        // It was given out once.
        [[nodiscard]] constexpr bool valid() const noexcept { return generation != 0; }
    };
    // One timer event after `delay` (to the millisecond, never early), which counts from the next
    // poll(): arming reads no clock. Not valid when there is no memory.
    [[nodiscard]] timer_id start_timer(std::chrono::nanoseconds delay,
                                       std::uint64_t user_data) noexcept;
    // No event will come. False when it was delivered, or cancelled before.
    bool cancel_timer(timer_id which) noexcept;

    // What has happened so far. The reference is as good as the manager; the numbers go on.
    [[nodiscard]] const manager_counters& counters() const noexcept;
    // What it holds now. Adds a few numbers up: cheap enough for every second.
    [[nodiscard]] manager_usage usage() const noexcept;

private:
    std::unique_ptr<detail::manager_state> state_;
};

}  // namespace ioring
