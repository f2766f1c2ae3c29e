// SPDX-License-Identifier: MIT
// manager_turn.cpp - one enter a turn: what goes in, what comes out, and which events it makes.
#include <algorithm>
#include <bit>
#include <cerrno>
#include <utility>

#include "ioring/error.hpp"
#include "platform/clock.hpp"
#include "socket/manager_state.hpp"

namespace ioring::detail {
namespace {

namespace flag = socket_flag_bit;
namespace event_bit = pending_event;

// Of the sixteen that the header reserves.
constexpr bool is_ours(op_kind kind) noexcept {
    return (static_cast<unsigned>(kind) & 0xf0U) == static_cast<unsigned>(op_kind::accept);
}

// Of a wait that merely did nothing: the completions that it wants read first are read next.
constexpr bool is_passing(int taken) noexcept {
    return taken == -EINTR || taken == -EBUSY || taken == -EAGAIN || taken == -ETIME;
}

// A pending bit's number is its event's, and the order in which they are told.
constexpr bool is_told_as(std::uint16_t bit, event_type type) noexcept {
    return bit == 1U << static_cast<unsigned>(type);
}
static_assert(is_told_as(event_bit::accepted, event_type::accepted));
static_assert(is_told_as(event_bit::connected, event_type::connected));
static_assert(is_told_as(event_bit::received, event_type::received));
static_assert(is_told_as(event_bit::send_blocked, event_type::send_blocked));
static_assert(is_told_as(event_bit::writable, event_type::writable));
static_assert(is_told_as(event_bit::drained, event_type::drained));
static_assert(is_told_as(event_bit::peer_closed, event_type::peer_closed));
static_assert(is_told_as(event_bit::closed, event_type::closed));

}  // namespace

void manager_state::read_clock() noexcept {
    now_ns_ = platform::monotonic_ns();
    now_ = (now_ns_ - start_ns_) / ns_per_tick;
}

std::size_t manager_state::poll(std::span<socket_event> out,
                                std::chrono::nanoseconds timeout) noexcept {
    if (out.empty()) return 0;
    const std::uint64_t wakes = ring_.counters().wakes;
    begin_turn();
    const std::uint64_t deadline =
        timeout == ring::forever ? timer_wheel::never : platform::deadline_ns(timeout, now_ns_);
    for (;;) {
        const bool interrupted = !turn(wait_time(deadline));
        const std::size_t count = deliver(out);
        if (count != 0 || interrupted || error_ || wakes != ring_.counters().wakes) return count;
        if (now_ns_ >= deadline) return 0;
    }
}

// What the events of the turn before have left: closed sockets are free now, and connections whose
// peer has ended are closed in order.
void manager_state::begin_turn() noexcept {
    // The program has had its time since the last look: no deadline may begin in the past.
    read_clock();
    place_timers();
    const auto link = [this](std::uint32_t slot) -> std::uint32_t& {
        return sockets_[slot].next_ready_;
    };
    while (!over_.empty()) {
        socket& at = sockets_[over_.pop(link)];
        ++counters_.closed;
        apply(at, close_event::delivered);
    }
}

std::chrono::nanoseconds manager_state::wait_time(std::uint64_t deadline_ns) const noexcept {
    if (may_not_sleep()) return std::chrono::nanoseconds::zero();
    std::uint64_t until = deadline_ns;
    if (const std::uint64_t tick = wheel_.next_tick(); tick != timer_wheel::never) {
        until = std::min(until, start_ns_ + tick * ns_per_tick);
    }
    if (until == timer_wheel::never) return ring::forever;
    return std::chrono::nanoseconds{until > now_ns_ ? until - now_ns_ : 0};
}

bool manager_state::has_events() const noexcept {
    return !ready_.empty() || foreign_head_ != foreign_tail_ || fired_head_ != none ||
           pauses_to_tell_ != 0;
}

bool manager_state::may_not_sleep() const noexcept {
    const bool has_food = !starved_.empty() && source_.available() != 0;
    return has_food || !dirty_.empty() || has_events();
}

// False when a signal has ended the wait.
bool manager_state::turn(std::chrono::nanoseconds timeout) noexcept {
    note_lag();
    settle_dirty();
    arm_accepts();
    // What found no room in the queue has its turn once that was submitted.
    if (may_not_sleep()) timeout = std::chrono::nanoseconds::zero();
    ++counters_.turns;
    const int taken = ring_.submit_and_wait(1, timeout);
    if (taken < 0 && !is_passing(taken)) error_ = error_of(taken);
    read_clock();
    woken_ns_ = now_ns_;
    reap();
    pass_time();
    return taken != -EINTR;
}

void manager_state::reap() noexcept {
    turn_bytes_ = 0;
    if (foreign_tail_ - foreign_head_ == options_.events_max) return;  // Must be told first.
    std::uint32_t count = 0;
    for (const cqe& done : ring_.completions()) {
        dispatch(done);
        // An entry is consumed when the loop leaves it: what is behind it stays.
        if (++count == options_.turn_completions_max) return;
        if (turn_bytes_ >= options_.turn_bytes_max) return;
        if (foreign_tail_ - foreign_head_ == options_.events_max) return;
    }
}

void manager_state::dispatch(const cqe& done) noexcept {
    const auto [kind, slot, generation] = user_data::decode<op_kind>(done.user_data);
    // A message is two of these.
    if (kind == op_kind::receive && is_current(slot, generation)) {
        return received(sockets_[slot], done);
    }
    if (kind == op_kind::send && is_current(slot, generation)) return sent(sockets_[slot], done);
    if (!is_ours(kind)) {
        foreign_[foreign_tail_++ % options_.events_max] = done;
        return;
    }
    switch (kind) {
        case op_kind::accept: return accepted(slot, generation, done);
        case op_kind::shed: return shed_done(slot, done);
        case op_kind::cancel_accept:  // The accept says itself what became of it.
            --cancels_in_flight_;
            // One that found none came too late, or got lost.
            if (done.res <= 0) listeners_[slot].cancelled = false;
            return;
        case op_kind::cancel_receive:
        case op_kind::cancel_send:
        case op_kind::cancel_connect: --cancels_in_flight_; break;
        default: break;
    }
    // Of transfers there is none of another generation, for a slot is not free before their last
    // completion; cancels may come later.
    if (!is_current(slot, generation)) return;
    socket& at = sockets_[slot];
    // A cancel that found nothing came too late, or too early: then the next one will.
    const std::uint32_t lost = done.res < 0 ? ~std::uint32_t{0} : 0;
    switch (kind) {
        case op_kind::connect: return connected(at, done);
        case op_kind::cancel_receive: at.flags_ &= ~(flag::receive_cancelled & lost); return;
        case op_kind::cancel_send: at.flags_ &= ~(flag::send_cancelled & lost); return;
        case op_kind::cancel_connect: at.flags_ &= ~(flag::connect_cancelled & lost); return;
        default: return;
    }
}

void manager_state::mark_dirty(socket& at) noexcept {
    if ((at.flags_ & flag::dirty) != 0) return;
    at.flags_ |= flag::dirty;
    dirty_.push(slot_of(at), [this](std::uint32_t slot) -> std::uint32_t& {
        return sockets_[slot].next_dirty_;
    });
}

void manager_state::settle_dirty() noexcept {
    const auto link = [this](std::uint32_t slot) -> std::uint32_t& {
        return sockets_[slot].next_dirty_;
    };
    if (!starved_.empty()) feed_starved();
    slot_list now = std::exchange(dirty_, slot_list{});
    while (!now.empty()) {
        socket& at = sockets_[now.pop(link)];
        at.flags_ &= ~flag::dirty;
        if (!settle(at)) mark_dirty(at);
    }
    if (buffers_returned_) feed_borrowers();
    if (chunks_recycled_) source_.publish();
    chunks_recycled_ = false;
}

void manager_state::announce(socket& at, std::uint16_t events) noexcept {
    if ((at.flags_ & flag::told) != 0) return;  // After the closed event comes none.
    at.pending_ |= events;
    if ((at.flags_ & flag::ready) != 0) return;
    at.flags_ |= flag::ready;
    ready_.push(slot_of(at), [this](std::uint32_t slot) -> std::uint32_t& {
        return sockets_[slot].next_ready_;
    });
}

// Gives the events that there are, each socket's in their order, to as many as `out` has room for.
std::size_t manager_state::deliver(std::span<socket_event> out) noexcept {
    const auto link = [this](std::uint32_t slot) -> std::uint32_t& {
        return sockets_[slot].next_ready_;
    };
    std::size_t count = deliver_others(out);
    while (!ready_.empty() && count < out.size()) {
        socket& at = sockets_[ready_.first];
        count += deliver_of(at, out.subspan(count));
        if (at.pending_ != 0) break;  // No room: it stays the first.
        const std::uint32_t slot = ready_.pop(link);
        at.flags_ &= ~flag::ready;
        if (phase_of(at) == close_phase::closed && (at.flags_ & flag::told) != 0) {
            over_.push(slot, link);
        }
    }
    return count;
}

std::size_t manager_state::deliver_of(socket& at, std::span<socket_event> out) noexcept {
    if ((at.pending_ & event_bit::peer_closed) != 0 && at.unread_ != 0) {
        // The end of the stream comes after its last byte: consume() announces it again. Who waits
        // for more bytes is told by those that there are.
        at.pending_ &= static_cast<std::uint16_t>(~event_bit::peer_closed);
        at.pending_ |= event_bit::received;
    }
    std::size_t count = 0;
    while (at.pending_ != 0 && count < out.size()) {
        const auto type = static_cast<event_type>(std::countr_zero(at.pending_));
        at.pending_ &= static_cast<std::uint16_t>(at.pending_ - 1);
        if (type == event_type::received && at.unread_ == 0) continue;  // Read meanwhile.
        socket_event& event = out[count++];
        event = socket_event{.type = type, .socket = &at};
        if (type == event_type::received) {
            mark_dirty(at);  // What the program leaves is joined.
            continue;
        }
        if (type == event_type::accepted) event.listener = cold_of(at).listener;
        if (type == event_type::peer_closed) {
            at.flags_ |= flag::end_told;
            mark_dirty(at);
        }
        if (type == event_type::closed) {
            at.flags_ |= flag::told;
            event.reason = cold_of(at).reason;
            event.error = error_of(-cold_of(at).error);
        }
    }
    return count;
}

// What is not of a connection.
std::size_t manager_state::deliver_others(std::span<socket_event> out) noexcept {
    std::size_t count = 0;
    for (; count < out.size() && foreign_head_ != foreign_tail_; ++foreign_head_) {
        out[count++] = {.type = event_type::completion,
                        .done = foreign_[foreign_head_ % options_.events_max]};
    }
    while (count < out.size() && fired_head_ != none) {
        const std::uint32_t index = fired_head_;
        timer_record& which = timers_[index];
        fired_head_ = which.next;
        if (fired_head_ == none) fired_tail_ = none;
        if (!which.cancelled) {
            out[count++] = {.type = event_type::timer, .done = {.user_data = which.user_data}};
        }
        ++which.generation;
        timers_.give_back(index);
    }
    for (std::uint32_t slot = 0; pauses_to_tell_ != 0 && slot < listeners_.size(); ++slot) {
        listener_slot& which = listeners_[slot];
        if (!which.pause_untold) continue;
        if (count == out.size()) break;
        which.pause_untold = false;
        --pauses_to_tell_;
        out[count++] = {.type = event_type::accept_paused,
                        .listener = {slot, which.generation},
                        .error = error_of(-which.error)};
    }
    return count;
}

}  // namespace ioring::detail
