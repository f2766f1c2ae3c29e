// SPDX-License-Identifier: MIT
// kinds.hpp - the kinds of faults, how likely each is, and how often it has happened.
//
// Every one is something that the contract (backend.hpp, prep.hpp) allows a backend to do, so that
// a program which does not survive it is wrong. What is never done: a transfer with wait_all cut
// short, a completion lost or doubled, a byte lost, doubled or changed, a buffer id changed, an
// order changed that the contract keeps (of one operation, of a chain, of one group buffer), and
// anything but lateness to the library's own entries.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ioring::backends::fault {

enum class kind : std::uint8_t {
    short_transfer,    // recv, send, sendmsg without wait_all: fewer bytes than there could be
    passing_error,     // a transfer or accept ends with -EAGAIN or -EINTR, and nothing happened
    no_buffers,        // a receive into a group ends with -ENOBUFS although there are some
    accept_refused,    // an accept ends with -EMFILE; the connection stays in the backlog
    connection_reset,  // -ECONNRESET, and the socket is really shut down
    multishot_ended,   // the last CQE of several comes without `more`: arm it again
    late,              // a CQE is held back, and others may overtake it
    cancel_lost,       // -EALREADY, and the target ends with -EINTR
    cancel_overtaken,  // a cancel says 0, and the target ends with its bytes all the same
    hint_flipped,      // cqe_flag::sock_nonempty is wrong
    poll_repeated,     // a multishot poll tells of one event twice
    submission_cut,    // enter() takes fewer SQEs than it was given, never a part of a chain
    enter_refused,     // enter() takes nothing: -EAGAIN or -EBUSY
    wait_ended,        // a wait ends with too few completions, as a signal ends it
    count
};
inline constexpr std::size_t kinds_count = static_cast<std::size_t>(kind::count);

// "short_transfer". Static.
[[nodiscard]] std::string_view to_string(kind which) noexcept;

// How much goes wrong.
//   0  what a program cannot see in any single result: order, lateness, hints
//   1  all that costs no connection, seldom; the default
//   2  the same, often
//   3  the same, and connections are reset
inline constexpr unsigned level_max = 3;
inline constexpr unsigned level_default = 1;

struct intensity {
    std::array<std::uint16_t, kinds_count> per_mille;  // Of the occasions for each kind.
    std::uint32_t late_turns_max;  // No CQE is held back for more enters or rounds of a wait.
};
// Precondition: level <= level_max.
[[nodiscard]] const intensity& intensity_of(unsigned level) noexcept;

// What has been injected, of one backend or of the whole process. Any thread may read.
class tally {
public:
    void add(kind which) noexcept {
        counts_[static_cast<std::size_t>(which)].fetch_add(1, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t of(kind which) const noexcept {
        return counts_[static_cast<std::size_t>(which)].load(std::memory_order_relaxed);
    }

private:
    std::array<std::atomic<std::uint64_t>, kinds_count> counts_{};
};

// Of all fault backends of this process since it began.
[[nodiscard]] tally& process_tally() noexcept;

}  // namespace ioring::backends::fault
