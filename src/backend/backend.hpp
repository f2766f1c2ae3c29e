// SPDX-License-Identifier: MIT
// backend.hpp - the contract of a backend, and all that a port must provide.
//
// A backend is io_uring's own three calls: set-up (its factory), enter() and register_(). It owns
// the two queues that `view()` describes, consumes SQEs and posts CQEs. Only enter() makes
// progress, and it is the only virtual call of the data path: one a batch.
//
// What every backend promises (docs/contract.md has all of it, each with its test):
//  - Each accepted SQE gets exactly one terminal CQE (a multishot one any number with `more`
//    first), except a successful one with cqe_skip_success.
//  - An opcode or flag outside probe() completes with -EINVAL; one that is in it but impossible for
//    this descriptor with -EOPNOTSUPP. Nothing is ignored in silence.
//  - No CQE is lost: what finds the queue full waits in the backend, sq_flag::cq_overflow is set,
//    and enter() with enter_flag::getevents posts it once there is room.
//  - `res` is the host's -errno.
//
// Threads: everything is called by the ring's owner thread, except set-up, the destructor, and what
// says `any thread`. The owner is the thread of the first enter(); until then register_() may be
// called by whoever has the backend. Others get -EEXIST.
//
// Fork: in a child every call is -EOWNERDEAD, and nothing that the parent uses is touched.
//
// Memory: what an entry points at may be poisoned for AddressSanitizer (ioring/detail/
// lent_memory.hpp). A backend that moves bytes itself does so where that does not see it
// (readiness/calls.hpp, wrapping/lent_bytes.hpp).
//
// To add a backend: derive from `backend` in a folder of its own, which includes this file and
// lower layers only; give a factory of type `setup_function`; put a row into registry.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "ioring/layout.hpp"
#include "ioring/probe.hpp"

namespace ioring::backends {

// Bits of enter()'s `flags`.
namespace enter_flag {
// Post what has completed; wait for min_complete.
inline constexpr std::uint32_t getevents = 1U << 0;
}  // namespace enter_flag

// enter() waits without bound.
inline constexpr std::int64_t no_timeout = -1;

// What register_() is asked for; `argument` and `count` depend on it. Results are 0 or more, or
// -errno.
enum class register_op : std::uint32_t {
    // Any thread, any signal handler. Ends the current or the next sleep of enter(). Calls need not
    // coalesce, and a sleep may end for a wake that its caller has noticed already: the ring keeps
    // the flag that says which wake is news.
    wake,
    // The descriptor to be polled (multishot) with reserved_user_data so that `wake` has an effect,
    // or -ENOENT when this backend wakes by itself. The ring arms the poll and never reads the
    // descriptor, which each wake makes readable anew; the backend closes it.
    wake_descriptor,
    // `argument`: socket_shutdown. Shuts down at once, without an SQE.
    shutdown_now,
    // `argument`: std::int32_t, the descriptor. Closes at once; operations in flight on it have
    // been cancelled by the caller. User-space kernels also forget the descriptor and raise its
    // generation.
    close_now,
    // `argument`: kernel_buffer. Pins a range for send_zc in slot `count` (up to 16,383 on
    // io_uring): -ENOMEM when RLIMIT_MEMLOCK is too small, -EFAULT over 1 GiB, -EINVAL for a slot
    // that there is not, -EOPNOTSUPP when the backend has no use for it.
    pin_buffer,
    // Unpins slot `count`. What is being sent from it keeps it until then.
    unpin_buffer,
    // `argument`: buffer_ring. Makes it buffer group `buffer_ring::group`; -EEXIST when the group
    // is in use, -EOPNOTSUPP when the backend has no groups, or none of the kind asked for.
    add_buffer_ring,
    // `count`: the group.
    remove_buffer_ring,
    // Any thread. The descriptor by which opcode::msg_ring names this ring, or -EOPNOTSUPP.
    message_descriptor,
    // These four only where keeps_registrations() is true; elsewhere -EOPNOTSUPP.
    //
    // `argument`: std::int32_t, a connected socket. From now on only what names a registered buffer
    // moves its bytes; other receives, sends and polls on it are -EOPNOTSUPP. Once more is 0. It
    // ends when the socket is closed. -EPROTOTYPE when the socket is not fit for it, -EBUSY when
    // operations are in flight on it.
    attach_socket,
    // `argument`: kernel_buffer. Its memory is the registered buffer `count`, which an SQE names by
    // sqe::addr3 = count + 1. -EINVAL when it is too large, -ENOMEM, -ENOBUFS.
    attach_buffer,
    // `count`: the buffer. What is in flight on it keeps it until then.
    detach_buffer,
    // The ring is about to end: attached sockets are closed, for no cancel can end what is in
    // flight on them. Their descriptors stay taken until they are closed as well.
    abort_attached,
    // After fork() in the child: gives the process's share of the ring back without touching what
    // the parent uses. Nothing but the destructor may be called afterwards.
    abandon_after_fork,
};

struct socket_shutdown {
    std::int32_t fd;
    std::uint32_t how;  // shutdown_how
};

struct kernel_buffer {
    std::byte* data;
    std::size_t bytes;
};

// A provided-buffer ring in the kernel's format: `entries` records of 16 bytes {addr, len, bid,
// tail}, page aligned, a power of two up to 32768; the tail is in the last two bytes of the first
// record.
struct buffer_ring {
    void* records;
    std::uint32_t entries;
    std::uint16_t group;
    bool incremental;  // feature::incremental_buffers
};

struct backend_options {
    std::uint32_t sq_entries = 0;  // A power of two.
    std::uint32_t cq_entries = 0;  // A power of two, at least sq_entries.
};

class backend {
public:
    backend(const backend&) = delete;
    backend& operator=(const backend&) = delete;
    virtual ~backend() = default;

    // Takes up to `to_submit` SQEs from the queue and, with getevents, posts completions and waits
    // until `min_complete` CQEs are in the queue, `timeout_ns` (no_timeout: never) has passed, a
    // wake or a signal. Never blocks without getevents.
    //
    // Returns how many SQEs it took (those are gone from the queue, the rest stay); a time-out or a
    // signal is then not told, nor when there is something in the queue. When it took none: -ETIME,
    // -EINTR, -EAGAIN, -EBUSY (reap completions, then retry), -EEXIST (wrong thread), -EOWNERDEAD
    // (after a fork, in the child). It does not wait when it took fewer than `to_submit`.
    //
    // A wait for more than one that is missing may end sooner, with fewer: io_uring ends it when an
    // opcode::timeout is over, but not for a wake, which is one completion there. So count, and ask
    // for one more than there is.
    virtual int enter(std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
                      std::int64_t timeout_ns) noexcept = 0;

    virtual int register_(register_op operation, void* argument, std::uint32_t count) noexcept = 0;

    [[nodiscard]] const ring_view& view() const noexcept { return view_; }
    [[nodiscard]] const probe_result& probe() const noexcept { return probe_; }
    // Whether registered sockets and buffers are something of their own here, of which the backend
    // wants to be told.
    [[nodiscard]] bool keeps_registrations() const noexcept { return keeps_registrations_; }
    // What was set up, in words for a person: flags and fallbacks. Lives as long as the backend.
    [[nodiscard]] const std::string& description() const noexcept { return description_; }

protected:
    backend() = default;

    ring_view view_;
    probe_result probe_;
    std::string description_;
    bool keeps_registrations_ = false;
};

// Makes `out` a backend of `options`, not yet owned by a thread. On error `out` is unchanged and
// `why` is one sentence: what was refused and by whom, then after "; " what to do about it (the
// reason of a fallback leaves that out). Errors: those of is_refusal() (choice.hpp) when this
// machine refuses the backend altogether; anything else (not_enough_memory, too_many_files_open) is
// exhaustion, and the sentence names the limit.
using setup_function = std::error_code (*)(const backend_options& options,
                                           std::unique_ptr<backend>& out,
                                           std::string& why) noexcept;

struct backend_entry {
    std::string_view name;
    setup_function setup;
    bool automatic;  // A candidate when the program names none.
};

}  // namespace ioring::backends
