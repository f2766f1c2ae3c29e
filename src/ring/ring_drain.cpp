// SPDX-License-Identifier: MIT
// ring_drain.cpp - the end of a ring: cancel, drain, and only then let memory go.
//
// The kernel may write into a receive buffer for as long as the operation has not posted its last
// CQE; closing the ring's descriptor does not end that. So memory that was registered with a ring
// is released when nothing is in flight, or not at all.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "platform/clock.hpp"
#include "platform/socket.hpp"
#include "ring/ring_state.hpp"

namespace ioring::detail {
namespace {

using backends::enter_flag::getevents;

// How long one round of the drain waits for a completion before it cancels again.
constexpr std::uint64_t round_ns = 20'000'000;

// How often a backend may refuse a submission that cannot be left for later.
constexpr int submit_attempts = 8;

std::atomic<std::uint32_t> zero_words[6];

}  // namespace

ring_view no_view() noexcept {
    return {.sq_head = &zero_words[0],
            .sq_tail = &zero_words[1],
            .sq_flags = &zero_words[2],
            .cq_head = &zero_words[3],
            .cq_tail = &zero_words[4],
            .cq_overflow = &zero_words[5]};
}

ring_core& no_ring() noexcept {
    struct empty_core : ring_core {
        empty_core() noexcept { view = no_view(); }
    };
    static empty_core none;
    return none;
}

ring_state::~ring_state() { shut_down(); }

void ring_state::become_dead() noexcept {
    view = no_view();
    sqe_tail = published_tail_ = 0;
    sq_usable = sq_cancel_limit = 0;
    posts_ready_end = posts_head;
}

// Runs in a forked child. The queues are shared with the parent, so the child must not touch them
// again.
void ring_state::after_fork_in_child(void* self) noexcept {
    auto& ring = *static_cast<ring_state*>(self);
    ring.forked_ = true;
    ring.owner_ = no_thread;
    ring.become_dead();
    if (ring.backend_ != nullptr) {
        ring.backend_->register_(backends::register_op::abandon_after_fork, nullptr, 0);
    }
}

void ring_state::shut_down() noexcept {
    if (backend_ == nullptr) return;
    fork_hook_.unlink();
    if (!forked_ && names_buffers) {
        register_with_backend(backends::register_op::abort_attached, nullptr, 0);
    }
    if (!forked_) leaks_ = !drain(platform::deadline_ns(drain_timeout_));
    become_dead();
    description_ = "shut down";
    info_.description = description_.c_str();
    backend_.reset();
    release_retired();
}

// What was prepared and not taken must not start any more.
void ring_state::forget_unsubmitted() noexcept {
    const std::uint32_t head = view.sq_head->load(std::memory_order_acquire);
    for (; sqe_tail != head; --sqe_tail) {
        const sqe& entry = view.sqes[(sqe_tail - 1) & (view.sq_entries - 1)];
        if (entry.user_data != reserved_user_data) continue;
        --internal_prepared_;
        if (entry.op == opcode::async_cancel) --cancels_outstanding_;
    }
    published_ -= published_tail_ - head;
    published_tail_ = head;
    view.sq_tail->store(head, std::memory_order_release);
}

bool ring_state::drain(std::uint64_t deadline) noexcept {
    forget_unsubmitted();
    if (owner_ == no_thread) return true;  // Nothing was ever submitted.

    int quiet_rounds = 0;
    while (quiet_rounds < 2) {
        for (const cqe& entry : completion_range{*this}) (void)entry;
        const bool exact = counts_are_exact();
        if (exact && in_flight() == 0) return true;
        if (!is_this_thread(owner_)) return false;
        if (platform::monotonic_ns() >= deadline) return false;
        const drain_round round = drain_once(deadline);
        quiet_rounds = !exact && round.found_nothing && !round.others ? quiet_rounds + 1 : 0;
    }
    return true;
}

// Cancels everything once and reads what that brings.
ring_state::drain_round ring_state::drain_once(std::uint64_t deadline) noexcept {
    drain_round round;
    bool cancelled = false;  // Our cancel has completed.
    if (sqe* const entry = take_internal_sqe(); entry != nullptr) {
        ++cancels_outstanding_;
        prep_cancel_everything(*entry, reserved_user_data);
    }
    const std::uint64_t now = platform::monotonic_ns();
    const std::uint64_t until = std::min(deadline, now + round_ns);
    for (std::uint64_t at = now; !cancelled && at < until; at = platform::monotonic_ns()) {
        if (enter(publish(), 1, getevents, static_cast<std::int64_t>(until - at)) == -EEXIST) break;
        std::uint32_t head = view.cq_head->load(std::memory_order_relaxed);
        const std::uint32_t tail = view.cq_tail->load(std::memory_order_acquire);
        for (; head != tail; ++head) {
            const cqe entry = view.cqes[head & (view.cq_entries - 1)];
            if (entry.user_data != reserved_user_data) {
                round.others = true;
            } else {
                absorb(entry);
                // The wake poll ends with -ECANCELED or with events; a cancel with neither, once
                // that is gone.
                cancelled = cancelled || cancels_outstanding_ == 0;
                round.found_nothing = entry.res == 0 || entry.res == -ENOENT;
            }
            consume_cqe(head, entry);
        }
    }
    return round;
}

void ring_state::retire(retired_memory& memory) noexcept {
    memory.next = retired_;
    retired_ = &memory;
    release_retired();
}

void ring_state::release_retired() noexcept {
    const bool ended = backend_ == nullptr;
    if (!ended && (in_flight() != 0 || !counts_are_exact())) return;
    retired_memory* each = std::exchange(retired_, nullptr);
    // After a drain that failed it stays mapped for ever: the kernel may write to it.
    if (ended && leaks_) return;
    while (each != nullptr) {
        retired_memory* const next = each->next;
        each->release(each);
        each = next;
    }
}

// Submits what is prepared although the backend may refuse it, or a part of it, for the moment.
void ring_state::submit_soon() noexcept {
    for (int attempt = 0; attempt < submit_attempts && sq_used() != 0; ++attempt) {
        const int taken = submit_and_wait(0, {});
        if (taken < 0 && taken != -EAGAIN && taken != -EBUSY) return;
    }
}

void ring_state::close_listening(fd socket) noexcept {
    const bool ours = backend_ != nullptr && !forked_;
    if (!ours) {
        (void)platform::close_socket(socket.value);
        return;
    }
    if (is_this_thread(owner_)) {
        if (sq_used() == view.sq_entries) submit_soon();
        if (sqe* const entry = take_internal_sqe(); entry != nullptr) {
            ++cancels_outstanding_;
            prep_cancel_fd(*entry, socket, cancel_flag::all, reserved_user_data);
            submit_soon();
        }
    }
    std::int32_t descriptor = socket.value;
    (void)register_with_backend(backends::register_op::close_now, &descriptor, 0);
}

}  // namespace ioring::detail
