// SPDX-License-Identifier: MIT
// poller.hpp - all that the readiness kernel needs of a system's readiness interface.
//
// The kernel tries each operation's system call first and parks it only when that would block. A
// poller then says when to try again. It may always say so too often, never too seldom: an event is
// a hint that the next try may not block, and the try gives the truth (bytes, end of stream,
// errno).
//
// Threads: all by the ring's owner, except wake() (any thread, any signal handler) and what comes
// before the first wait. After a fork only the destructor may be called in the child.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <system_error>

namespace ioring::backends::readiness {

// What a descriptor is waited for, as bits.
namespace direction {
inline constexpr std::uint8_t read = 1U << 0;    // Bytes, an end of stream, a connection to accept.
inline constexpr std::uint8_t write = 1U << 1;   // Room to send, an attempt to connect that ended.
inline constexpr std::uint8_t urgent = 1U << 2;  // Out-of-band data, where the system can tell.
inline constexpr std::uint8_t ended = 1U << 3;   // The peer has ended its side.
inline constexpr std::uint8_t all = read | write | urgent | ended;
}  // namespace direction

struct ready_event {
    std::int32_t fd;
    std::uint8_t directions;  // Try what waits for these. An error or a hang-up is all of them.
    // A poller that was told of a failed connect: its errno, which SO_ERROR may not give any more;
    // or 0.
    std::int32_t error_hint;
};

// How long an armed direction stays armed.
enum class arming : std::uint8_t {
    once,  // Until its next event.
    edge,  // Until forget(): an event whenever the condition appears anew. More events are allowed.
};

template <class Poller>
concept poller = requires(Poller& each, const Poller& constant, std::int32_t fd,
                          std::uint8_t directions, arming how, std::span<ready_event> events,
                          std::int64_t timeout_ns, std::string& why) {
    // Makes `each`, default constructed, ready for use. On an error `why` is a sentence.
    // Errors: too_many_files_open, not_enough_memory, not_supported.
    { each.set_up(why) } -> std::same_as<std::error_code>;
    // Room for all that is ever kept of `fd`, so that arming it needs no memory. Comes before its
    // first arm(). False: there is no memory, and nothing has changed.
    { each.reserve(fd) }
    noexcept->std::same_as<bool>;
    // An event for each of `directions` follows once it is, or is already, ready. Adds to what is
    // armed; `edge` outlives later `once`s. No direction at all means errors and hang-ups, which
    // are always heard of. Precondition of `once`: a try of these directions has just said that it
    // would wait, so that a poller which hears of changes needs no look. A descriptor that was
    // closed behind the ring's back and whose number is in use again is a new one: the poller finds
    // out within some milliseconds. Never fails: when the system refuses (EBADF, EPERM, ENOMEM), an
    // event for these directions follows, so that the try tells why.
    { each.arm(fd, directions, how) }
    noexcept->std::same_as<void>;
    // Nothing that was armed for `fd` is heard of again. Comes before the descriptor is closed.
    { each.forget(fd) }
    noexcept->std::same_as<void>;
    // Waits for events, `timeout_ns` (0: does not wait, backends::no_timeout: without bound) or a
    // wake. Returns how many of `events` it filled (0 for a wake or the end of the time) or -EINTR.
    { each.wait(events, timeout_ns) }
    noexcept->std::same_as<int>;
    // Ends the present or the next wait. Any thread, any signal handler. Many are one.
    { each.wake() }
    noexcept->std::same_as<void>;
    // A descriptor of this process that no one else has, for opcode::msg_ring to name the ring by.
    { constant.native() }
    noexcept->std::same_as<int>;
    // After a fork, in the child: gives this process's descriptors back.
    { each.abandon() }
    noexcept->std::same_as<void>;
    // Once armed, it has an event for every change until forget(), armed or not: what has been read
    // empty need not be tried until then.
    { Poller::hears_changes } -> std::convertible_to<bool>;
    // "epoll", "kqueue", "poll".
    { Poller::name } -> std::convertible_to<const char*>;
};

}  // namespace ioring::backends::readiness
