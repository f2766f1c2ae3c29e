// SPDX-License-Identifier: MIT
// manager_timers.cpp - what happens because nothing has happened for too long.
//
// Each connection has one timer, at the earliest of its time-outs when it was set; when it fires,
// what has become of them meanwhile is looked at. So a message moves no timer.
#include <algorithm>
#include <cerrno>

#include "socket/manager_state.hpp"

namespace ioring::detail {
namespace {

namespace flag = socket_flag_bit;
namespace fact = close_fact;

// The tick at which `length` has passed since `since`; never when there is no bound.
std::uint64_t end_of(std::uint64_t since, std::chrono::milliseconds length) noexcept {
    if (length.count() == 0) return timer_wheel::never;
    return since + static_cast<std::uint64_t>(length.count()) + 1;
}

}  // namespace

// The program's timers count from here: so none comes early, and start_timer() needs no clock.
void manager_state::place_timers() noexcept {
    wheel_.place([this](std::uint64_t delay_ns) {
        return (now_ns_ - start_ns_ + delay_ns + ns_per_tick - 1) / ns_per_tick;
    });
}

void manager_state::pass_time() noexcept {
    if (wheel_.next_tick() > now_) return;
    wheel_.advance(now_, [this](std::uint64_t payload) { fired(payload); });
}

void manager_state::fired(std::uint64_t payload) noexcept {
    const auto [kind, slot, generation] = user_data::decode<timer_kind>(payload);
    switch (kind) {
        case timer_kind::connection: return socket_timer(sockets_[slot]);
        case timer_kind::listener:
            if (slot < listeners_.size() && listeners_[slot].generation == generation) {
                listeners_[slot].paused = false;
            }
            return;
        case timer_kind::relief: relief_ = {}; return relieve();
        case timer_kind::lag: return lag_is_over();
        case timer_kind::program: {
            timer_record& which = timers_[slot];
            which.fired = true;
            which.next = none;
            (fired_head_ == none ? fired_head_ : timers_[fired_tail_].next) = slot;
            fired_tail_ = slot;
        }
    }
}

void manager_state::socket_timer(socket& at) noexcept {
    cold_state& cold = cold_of(at);
    cold.timer_tick = timer_wheel::never;
    // The record that has just come free: it cannot fail.
    cold.timer = wheel_.arm(timer_wheel::tick_max, user_data{timer_kind::connection, slot_of(at)});
    check_timeouts(at);
    if (cold.timer.valid()) schedule(at);
}

std::uint64_t manager_state::next_timeout(const socket& at) const noexcept {
    const cold_state& cold = cold_of(at);
    if (phase_of(at) != close_phase::open) return cold.deadline;
    std::uint64_t next = std::min(end_of(cold.active_at, options_.idle_timeout),
                                  end_of(cold.received_at, options_.read_timeout));
    if (at.unsent_ != 0) {
        next = std::min(next, end_of(cold.progress_at, options_.write_stall_timeout));
    }
    return std::min(next, cold.handshake_by);
}

void manager_state::schedule(socket& at) noexcept {
    cold_state& cold = cold_of(at);
    const std::uint64_t next = next_timeout(at);
    if (next >= cold.timer_tick) return;
    cold.timer_tick = next;
    wheel_.move(cold.timer, next);
}

void manager_state::check_timeouts(socket& at) noexcept {
    cold_state& cold = cold_of(at);
    switch (phase_of(at)) {
        case close_phase::open: break;
        case close_phase::connecting:
            if (cold.deadline > now_) return;
            note_end(at, close_reason::connect_timeout, ETIMEDOUT);
            return apply(at, close_event::deadline);
        case close_phase::flushing:
        case close_phase::lingering:
            if (cold.deadline > now_) return;
            cold.reason = close_reason::none;  // It was to be an orderly end, and is none.
            note_end(at, close_reason::drain_timeout, ETIMEDOUT);
            return apply(at, close_event::deadline);
        case close_phase::ending:
            if (cold.deadline <= now_) apply(at, close_event::deadline);
            return;
        default: return;
    }
    if (cold.handshake_by <= now_) {
        return abort(at, close_reason::handshake_timeout, ETIMEDOUT);
    }
    if (at.unsent_ != 0 && end_of(cold.progress_at, options_.write_stall_timeout) <= now_) {
        return abort(at, close_reason::write_stalled, ETIMEDOUT);
    }
    if (end_of(cold.active_at, options_.idle_timeout) <= now_) {
        return close(at, close_reason::idle_timeout);
    }
    if (end_of(cold.received_at, options_.read_timeout) <= now_) {
        return close(at, close_reason::read_timeout);
    }
}

// Of the phase that has just begun.
void manager_state::set_deadline(socket& at) noexcept {
    cold_state& cold = cold_of(at);
    switch (phase_of(at)) {
        case close_phase::connecting: cold.deadline = end_of(now_, options_.connect_timeout); break;
        case close_phase::ending: cold.deadline = tick_after(ending_timeout); break;
        default:
            cold.deadline = std::min(drain_deadline_, end_of(now_, options_.drain_timeout));
            break;
    }
    schedule(at);
}

void manager_state::begin_open_timeouts(socket& at) noexcept {
    cold_state& cold = cold_of(at);
    cold.active_at = cold.received_at = cold.progress_at = now_;
    cold.deadline = timer_wheel::never;
    cold.handshake_by = end_of(now_, options_.handshake_timeout);
    schedule(at);
}

void manager_state::finish_handshake(socket& at) noexcept {
    cold_of(at).handshake_by = timer_wheel::never;
}

// Receives find no chunk: whoever has held some for long without moving gives them up.
void manager_state::relieve() noexcept {
    if (starved_.empty() || source_.available() != 0) return;
    const auto long_ago = static_cast<std::uint64_t>(relief_period.count());
    for (std::uint32_t slot = 0; slot < slots_used_; ++slot) {
        socket& at = sockets_[slot];
        if (phase_of(at) == close_phase::free) continue;
        own_unread(at);
        const bool is_stuck = cold_of(at).progress_at + long_ago <= now_;
        if ((at.facts_ & fact::send) == 0 || at.last_piece_ == none || !is_stuck) continue;
        const std::uint32_t first = pieces_[at.last_piece_].next;
        if (pieces_[first].kind != piece_kind::chunk && first == at.last_piece_) continue;
        if (!prepare_cancel(at, op_kind::send, op_kind::cancel_send, flag::send_cancelled)) break;
        at.flags_ |= flag::evicting;
        ++counters_.evictions;
    }
    relief_ = wheel_.arm(tick_after(relief_period), user_data{timer_kind::relief});
}

// --- the program's ---

socket_manager::timer_id manager_state::start_timer(std::chrono::nanoseconds delay,
                                                    std::uint64_t user_data) noexcept {
    const std::uint32_t index = timers_.take();
    if (index == none) return {};
    timer_record& made = timers_[index];
    const auto delay_ns =
        static_cast<std::uint64_t>(std::max(delay, std::chrono::nanoseconds::zero()).count());
    made.key = wheel_.arm_later(delay_ns, ioring::user_data{timer_kind::program, index});
    if (!made.key.valid()) {
        timers_.give_back(index);
        return {};
    }
    made.user_data = user_data;
    made.fired = made.cancelled = false;
    ++made.generation;
    return {index, made.generation};
}

bool manager_state::cancel_timer(socket_manager::timer_id which) noexcept {
    if (which.slot >= timers_.end() || !which.valid()) return false;
    timer_record& found = timers_[which.slot];
    if (found.generation != which.generation || (found.generation & 1U) == 0) return false;
    if (found.fired) {
        // In the queue of what is to be told, which will pass it over.
        return !std::exchange(found.cancelled, true);
    }
    wheel_.cancel(found.key);
    ++found.generation;
    timers_.give_back(which.slot);
    return true;
}

}  // namespace ioring::detail
