// SPDX-License-Identifier: MIT
// polls.cpp - poll_add: which events are there, and which appear.
//
// The system tells of states, not of changes. So a multishot poll that has told an event waits for
// the others only, and each turn looks whether the event is still there.
#include <cerrno>

#include "backend/iocp/iocp_kernel.hpp"

namespace ioring::backends::iocp {
namespace {

// As io_uring: these are told whether they were asked for or not.
constexpr std::uint32_t always = poll_event::err | poll_event::hup;

bool is_multishot(const operation& op) noexcept {
    return (op.entry.len & poll_flag::multishot) != 0;
}

std::uint32_t asked_of(const operation& op) noexcept { return op.entry.op_flags | always; }

// The events that a multishot poll has told of and that are still there.
std::uint32_t& told_of(operation& op) noexcept { return op.shots_left; }

}  // namespace

bool iocp_kernel::start_poll(operation& op, socket_state& of) noexcept {
    told_of(op) = 0;
    op.kept_by = &of;
    const std::int32_t res = arm_poll(op, of, asked_of(op));
    if (res != 0) {
        forget_poll(op, of);
        finish(op, res);
        return false;
    }
    of.polls.push(op);
    return true;
}

// Tells `mask`. False: it is the last that it tells, and was not posted.
bool iocp_kernel::tell(operation& op, std::int32_t mask) noexcept {
    if (mask < 0 || !is_multishot(op)) return false;
    if (told_of(op) == 0 && !edges_.grow_to(edges_count_ + 1)) return false;
    if (!post_more(op, mask, 0)) return false;
    if (told_of(op) == 0) edges_[edges_count_++] = &op;
    told_of(op) |= static_cast<std::uint32_t>(mask);
    return true;
}

// What a poll for `events` says at once: a mask or -errno; 0 when it is pending.
std::int32_t iocp_kernel::begin_poll(operation& op, socket_state& of,
                                     std::uint32_t events) noexcept {
    flight* const out = pool_.take(of, flight::kind::poll, &op);
    if (out == nullptr) return -ENOMEM;
    out->events = events;
    const begun how = system_->poll(of.handle, events, out->room.poll, out->system);
    if (how.pending) return 0;
    pool_.unlink(*out);
    pool_.give_back(*out);
    return how.res;
}

// Waits for `events`, of which those that are there are told. Not 0: what it ends with.
std::int32_t iocp_kernel::arm_poll(operation& op, socket_state& of, std::uint32_t events) noexcept {
    while (events != 0) {
        const std::int32_t now = begin_poll(op, of, events);
        if (now == 0) return 0;
        const std::int32_t mask = now < 0 ? now : now & static_cast<std::int32_t>(asked_of(op));
        if (!tell(op, mask)) return mask;
        events &= ~static_cast<std::uint32_t>(mask);
    }
    return 0;
}

void iocp_kernel::land_poll(socket_state& of, operation& op, std::int32_t mask,
                            std::uint32_t events) noexcept {
    if (mask > 0) mask &= static_cast<std::int32_t>(asked_of(op));
    std::int32_t last = mask;
    if (mask == 0 || tell(op, mask)) {
        last = arm_poll(op, of, events & ~static_cast<std::uint32_t>(mask));
    }
    if (last == 0) return;
    forget_poll(op, of);
    of.polls.remove(op);
    finish(op, last);
}

// A receive that was pending has taken what came, which then is no event for the system.
void iocp_kernel::tell_taken(socket_state& of) noexcept {
    constexpr auto readable = static_cast<std::int32_t>(poll_event::in);
    operation* each = of.polls.first;
    while (each != nullptr) {
        operation& op = *each;
        each = op.next;
        if ((op.entry.op_flags & poll_event::in) == 0) continue;
        if (is_multishot(op) && post_more(op, readable, 0)) continue;
        forget_poll(op, of);
        of.polls.remove(op);
        finish(op, readable);
    }
}

// Nothing lands for it any more.
void iocp_kernel::forget_poll(operation& op, socket_state& of) noexcept {
    for (flight* each = of.first; each != nullptr; each = each->next) {
        if (each->op != &op) continue;
        each->op = nullptr;
        (void)cancel_flight(*each);
    }
    for (std::uint32_t index = 0; index < edges_count_; ++index) {
        if (edges_[index] != &op) continue;
        edges_[index] = edges_[--edges_count_];
        return;
    }
}

// Which of the events that were told have gone, so that they are news when they come again.
void iocp_kernel::look_again() noexcept {
    for (std::uint32_t index = edges_count_; index-- > 0;) {
        operation& op = *edges_[index];
        auto& of = *static_cast<socket_state*>(op.kept_by);
        const std::uint32_t events = told_of(op);
        const std::int32_t now = begin_poll(op, of, events);
        told_of(op) = now > 0 ? events & static_cast<std::uint32_t>(now) : 0;
        if (told_of(op) == 0) edges_[index] = edges_[--edges_count_];
        // Pending, it waits for all of them already.
        const std::uint32_t gone = now > 0 ? events & ~told_of(op) : 0;
        const std::int32_t last = now < 0 ? now : arm_poll(op, of, gone);
        if (last == 0) continue;
        forget_poll(op, of);
        of.polls.remove(op);
        finish(op, last);
    }
}

}  // namespace ioring::backends::iocp
