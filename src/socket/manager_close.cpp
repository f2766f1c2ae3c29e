// SPDX-License-Identifier: MIT
// manager_close.cpp - the close protocol's actions, and what a touched socket needs next.
#include <cerrno>

#include "platform/socket.hpp"
#include "socket/manager_state.hpp"

namespace ioring::detail {
namespace {

namespace act_bit = close_action;
namespace fact = close_fact;
namespace flag = socket_flag_bit;
namespace event_bit = pending_event;

}  // namespace

void manager_state::apply(socket& at, close_event event) noexcept {
    const close_step taken = step({phase_of(at), at.facts_}, event);
    at.phase_ = static_cast<std::uint8_t>(taken.next.phase);
    at.facts_ = taken.next.facts;
    // What a message does: nothing, or this, for which nothing has to be settled.
    if (taken.actions == 0) return;
    if (taken.actions == act_bit::announce_drained) return tell_drained(at);
    act(at, taken.actions);
}

void manager_state::tell_drained(socket& at) noexcept {
    if ((at.flags_ & flag::wants_drained) == 0) return;
    at.flags_ &= ~flag::wants_drained;
    announce(at, event_bit::drained);
}

void manager_state::act(socket& at, std::uint16_t actions) noexcept {
    if (actions == act_bit::deliver) {
        announce(at, event_bit::received);
        return mark_dirty(at);
    }
    if ((actions & act_bit::announce_open) != 0) {
        const bool outbound = (at.flags_ & flag::outbound) != 0;
        announce(at, outbound ? event_bit::connected : event_bit::accepted);
        begin_open_timeouts(at);
    }
    if ((actions & act_bit::announce_end) != 0) announce(at, event_bit::peer_closed);
    if ((actions & act_bit::announce_drained) != 0) tell_drained(at);
    if ((actions & act_bit::deliver) != 0) announce(at, event_bit::received);
    if ((actions & act_bit::discard) != 0) {
        discard_unread(at);
        end_room(at);
    }
    if ((actions & act_bit::shutdown_write) != 0) {
        // Fails when the peer is gone: the receive says so too.
        (void)ring_.shutdown_now(at.fd_, shutdown_how::write);
    }
    if ((actions & act_bit::cancel) != 0) {
        constexpr std::uint32_t all =
            flag::receive_cancelled | flag::send_cancelled | flag::connect_cancelled;
        at.flags_ = (at.flags_ & ~all) | flag::give_up;
    }
    if ((actions & act_bit::reset) != 0) at.flags_ |= flag::resets;
    if ((actions & act_bit::set_deadline) != 0) set_deadline(at);
    if ((actions & act_bit::stop_deadline) != 0) cold_of(at).deadline = timer_wheel::never;
    if ((actions & act_bit::close_descriptor) != 0) close_descriptor(at);
    if ((actions & act_bit::announce_closed) != 0) {
        // What came before the end is still told, and what it was can still be read.
        announce(at, event_bit::closed);
    }
    if ((actions & act_bit::release) != 0) return free_slot(at);
    mark_dirty(at);
}

void manager_state::close_descriptor(socket& at) noexcept {
    if ((at.flags_ & flag::resets) != 0) {
        ++counters_.reset;
        ++(at.unsent_ != 0 ? report_.cut : report_.abandoned);
        report_.bytes_unsent += at.unsent_;
        (void)platform::reset_when_closed(at.fd_.value);
    } else {
        ++report_.drained;
    }
    (void)ring_.close_now(at.fd_);
    at.fd_ = fd{};
    resume_accepts();
    drop_unsent(at);
    wheel_.cancel(cold_of(at).timer);
    cold_of(at).timer = {};
    cold_of(at).timer_tick = timer_wheel::never;
}

// The first reason is the one that counts.
void manager_state::note_end(socket& at, close_reason why, int error) noexcept {
    cold_state& cold = cold_of(at);
    if (cold.reason != close_reason::none) return;
    cold.reason = why;
    cold.error = error;
}

void manager_state::fail(socket& at, close_event event, int error) noexcept {
    note_end(at, close_reason::failed, error);
    apply(at, event);
}

void manager_state::close(socket& at, close_reason why) noexcept {
    const close_phase phase = phase_of(at);
    if (phase == close_phase::free || phase == close_phase::closed) return;
    note_end(at, why);
    read_clock();
    apply(at, close_event::close);
}

void manager_state::abort(socket& at, close_reason why, int error) noexcept {
    const close_phase phase = phase_of(at);
    if (phase == close_phase::free || phase == close_phase::closed) return;
    // A reset that was asked for is no orderly end any more.
    if (phase == close_phase::flushing || phase == close_phase::lingering) {
        cold_of(at).reason = close_reason::none;
    }
    note_end(at, why, error);
    apply(at, close_event::abort);
}

// Prepares whatever the socket's state asks for. False when the queue is full: again next turn.
bool manager_state::settle(socket& at) noexcept {
    if ((at.flags_ & flag::end_told) != 0 && phase_of(at) == close_phase::open &&
        (at.pending_ & event_bit::peer_closed) == 0) {
        // Both sides have ended, or the peer's end is the program's too.
        if ((at.facts_ & fact::finished) != 0) {
            close(at, close_reason::closed);
        } else if (!options_.allow_half_open) {
            const bool is_ours = (at.facts_ & fact::finishing) != 0;
            close(at, is_ours ? close_reason::closed : close_reason::peer_closed);
        }
    }
    switch (phase_of(at)) {
        case close_phase::open:
        case close_phase::flushing:
        case close_phase::lingering: {
            const bool receiving = settle_receive(at);
            return settle_send(at) && receiving;
        }
        case close_phase::ending: return settle_cancels(at);
        default: return true;
    }
}

bool manager_state::settle_cancels(socket& at) noexcept {
    if ((at.flags_ & flag::give_up) == 0) return true;
    const bool all =
        ((at.facts_ & fact::recv) == 0 ||
         prepare_cancel(at, op_kind::receive, op_kind::cancel_receive, flag::receive_cancelled)) &&
        ((at.facts_ & fact::send) == 0 ||
         prepare_cancel(at, op_kind::send, op_kind::cancel_send, flag::send_cancelled)) &&
        ((at.facts_ & fact::connect) == 0 ||
         prepare_cancel(at, op_kind::connect, op_kind::cancel_connect, flag::connect_cancelled));
    if (all) at.flags_ &= ~flag::give_up;
    return all;
}

// True when a cancel is under way, false when the queue is full.
bool manager_state::prepare_cancel(socket& at, op_kind target, op_kind name,
                                   std::uint32_t flag) noexcept {
    if ((at.flags_ & flag) != 0) return true;
    if (ring_.prepare_cancel(tag(target, at), tag(name, at)) == nullptr) return false;
    ++cancels_in_flight_;
    at.flags_ |= flag;
    return true;
}

}  // namespace ioring::detail
