// SPDX-License-Identifier: MIT
// manager_connect.cpp - how connections come to be: listeners, accepts, connects, and their slots.
#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "ioring/error.hpp"
#include "platform/socket.hpp"
#include "platform/text.hpp"
#include "socket/manager_state.hpp"

namespace ioring::detail {
namespace {

namespace flag = socket_flag_bit;

// The peer has gone while it waited, or nothing happened at all: the next one may be accepted.
bool is_transient(std::int32_t res) noexcept {
    return res == -ECONNABORTED || res == -EINTR || res == -EAGAIN || res == -EPROTO ||
           res == -ECANCELED;
}

bool is_want_of_descriptors(int error) noexcept { return error == EMFILE || error == ENFILE; }

}  // namespace

// --- slots ---

// A slot in phase free, or nullptr when there is none or no memory.
socket* manager_state::take_slot(fd descriptor) noexcept {
    if (is_full_of_sockets()) return nullptr;
    std::uint32_t slot = free_slots_;
    if (slot == none) {
        slot = slots_used_;
        new (&sockets_[slot]) socket;
        new (&cold_[slot]) cold_state;
    }
    const timer_key timer =
        wheel_.arm(timer_wheel::tick_max, user_data{timer_kind::connection, slot});
    if (!timer.valid()) return nullptr;
    if (slot == slots_used_) {
        ++slots_used_;
    } else {
        free_slots_ = cold_[slot].next_free;
    }
    ++in_use_;
    socket& at = sockets_[slot];
    at.manager_ = this;
    at.fd_ = descriptor;
    at.pending_ = 0;
    // The slot may still be in lists, by its last owner.
    at.flags_ &= flag::dirty | flag::starved | flag::borrower;
    if (++at.generation_ == 0) at.generation_ = 1;
    cold_state& cold = cold_[slot];
    cold.user = nullptr;
    cold.peer = endpoint{};
    cold.listener = listener_id{};
    cold.timer = timer;
    cold.timer_tick = timer_wheel::never;
    cold.deadline = cold.handshake_by = timer_wheel::never;
    cold.error = 0;
    cold.reason = close_reason::none;
    return &at;
}

void manager_state::free_slot(socket& at) noexcept {
    detach_ring(at);
    stop_waiting(at);
    wake_waiters(at);
    cold_of(at).next_free = free_slots_;
    free_slots_ = slot_of(at);
    --in_use_;
}

socket* manager_state::find(socket_id which) noexcept {
    if (!which.valid() || !is_current(which.slot, which.generation)) return nullptr;
    return &sockets_[which.slot];
}

// --- listeners ---

std::error_code manager_state::listen(const endpoint& address, const listen_options& options,
                                      listener_id& out, std::string* why) noexcept {
    std::uint32_t slot = 0;
    while (slot < listeners_.size() && (listeners_[slot].open || listeners_[slot].in_flight != 0)) {
        ++slot;
    }
    if (slot == manager_options::listeners_max) {
        platform::explain(why, "there are ", slot, " listeners already, which is the limit");
        return std::make_error_code(std::errc::no_buffer_space);
    }
    listener made;
    if (const auto error = ring_.create_listener(address, options, made, why)) return error;
    if (slot == listeners_.size()) listeners_.emplace_back();
    listener_slot& which = listeners_[slot];
    which = listener_slot{.socket = std::move(made), .generation = which.generation, .open = true};
    out = {slot, which.generation};
    keep_reserve();
    return {};
}

bool manager_state::close_listener(listener_id id) noexcept {
    if (id.slot >= listeners_.size()) return false;
    listener_slot& which = listeners_[id.slot];
    if (!which.open || which.generation != id.generation) return false;
    which.open = false;
    ++which.generation;
    if (std::exchange(which.pause_untold, false)) --pauses_to_tell_;
    wheel_.cancel(which.timer);
    which.socket.close();  // Its accepts end with -ECANCELED; a connection among them is refused.
    return true;
}

endpoint manager_state::local_endpoint(listener_id id) const noexcept {
    if (id.slot >= listeners_.size()) return {};
    const listener_slot& which = listeners_[id.slot];
    if (!which.open || which.generation != id.generation) return {};
    return which.socket.local_endpoint();
}

void manager_state::stop_listening() noexcept {
    for (std::uint32_t slot = 0; slot < listeners_.size(); ++slot) {
        close_listener({slot, listeners_[slot].generation});
    }
}

void manager_state::arm_accepts() noexcept {
    keep_reserve();
    const int error = overload();
    for (std::uint32_t slot = 0; slot < listeners_.size(); ++slot) {
        listener_slot& which = listeners_[slot];
        if (!which.open) continue;
        if (error != 0) {
            hold_accepts(which, slot, error);
            continue;
        }
        which.held = false;
        if (!which.paused) arm_accepts_of(which, slot);
    }
}

// Never more accepts than places: the other connections wait in the system's queue.
void manager_state::arm_accepts_of(listener_slot& which, std::uint32_t slot) noexcept {
    const std::uint32_t free = options_.sockets_max - in_use_;
    const bool roomy = multishot_accept_ && free >= listener_slot::headroom;
    const std::uint64_t name = user_data{op_kind::accept, slot, which.generation};
    if (which.in_flight != 0 && which.multishot) {
        if (roomy || which.cancelled) return;
        which.cancelled = ring_.prepare_cancel(name, user_data{op_kind::cancel_accept, slot},
                                               cancel_flag::all) != nullptr;
        if (which.cancelled) ++cancels_in_flight_;
        return;
    }
    if (roomy && which.in_flight == 0) {
        if (ring_.prepare_accept_multishot(which.socket, name) == nullptr) return;
        which.in_flight = 1;
        which.multishot = true;
        which.cancelled = false;
        return;
    }
    while (!roomy && which.in_flight < listener_slot::singles_max && single_accepts_ < free) {
        if (ring_.prepare_accept(which.socket, name) == nullptr) return;
        which.multishot = which.cancelled = false;
        ++which.in_flight;
        ++single_accepts_;
    }
}

void manager_state::accepted(std::uint32_t slot, std::uint32_t generation,
                             const cqe& done) noexcept {
    listener_slot& which = listeners_[slot];
    if (!done.more()) {
        --which.in_flight;
        if (!which.multishot) --single_accepts_;
    }
    const bool is_open = which.open && which.generation == generation;
    if (done.res >= 0) {
        const fd descriptor{done.res};
        which.backoff = listener_slot::backoff_first;
        return is_open ? adopt(descriptor, {slot, generation}) : refuse(descriptor);
    }
    if (!is_open) return;
    if (!which.paused) {
        if (!is_transient(done.res)) pause_accepts(which, slot, -done.res);
        return;
    }
    // Of several accepts in flight the last one leaves room for that.
    if (is_want_of_descriptors(which.error)) shed(which, slot);
}

void manager_state::adopt(fd descriptor, listener_id from) noexcept {
    socket* const at = take_slot(descriptor);
    if (at == nullptr) return refuse(descriptor);
    cold_state& cold = cold_of(*at);
    cold.listener = from;
    (void)platform::peer_endpoint(descriptor.value, cold.peer);
    ++counters_.accepted;
    apply(*at, close_event::accepted);
}

// By a reset: a peer that was told nothing but an end would take it for an answer.
void manager_state::refuse(fd descriptor) noexcept {
    ++counters_.refused;
    (void)platform::reset_when_closed(descriptor.value);
    (void)ring_.close_now(descriptor);
}

// --- want of descriptors ---

void manager_state::pause_accepts(listener_slot& which, std::uint32_t slot, int error) noexcept {
    which.paused = true;
    tell_pause(which, error);
    which.timer = wheel_.arm(tick_after(which.backoff),
                             user_data{timer_kind::listener, slot, which.generation});
    which.paused = which.timer.valid();
    which.backoff = std::min(which.backoff * 2, listener_slot::backoff_max);
    if (!is_want_of_descriptors(error)) return;
    // The others in flight would each keep a connection waiting to learn what this one has.
    end_accepts(which, slot);
    shed(which, slot);
}

void manager_state::tell_pause(listener_slot& which, int error) noexcept {
    ++counters_.accept_pauses;
    which.error = error;
    if (!std::exchange(which.pause_untold, true)) ++pauses_to_tell_;
}

// Gives up the reserve for one connection, which is turned away at once: a peer that is refused may
// try elsewhere, one that waits in the queue learns nothing.
void manager_state::shed(listener_slot& which, std::uint32_t slot) noexcept {
    if (!reserve_.valid() || which.shedding || which.in_flight != 0) return;
    if (ring_.prepare_accept(which.socket, user_data{op_kind::shed, slot}) == nullptr) return;
    which.shedding = true;
    ++which.in_flight;
    (void)ring_.close_now(std::exchange(reserve_, fd{}));
}

void manager_state::shed_done(std::uint32_t slot, const cqe& done) noexcept {
    listener_slot& which = listeners_[slot];
    which.shedding = false;
    --which.in_flight;
    if (done.res < 0) return;
    // One that came later, when there are descriptors again, need not be turned away.
    keep_reserve();
    const bool is_welcome = reserve_.valid() && which.open;
    is_welcome ? adopt(fd{done.res}, {slot, which.generation}) : refuse(fd{done.res});
}

// A descriptor came free.
void manager_state::resume_accepts() noexcept {
    for (listener_slot& each : listeners_) {
        if (!each.paused) continue;
        each.paused = false;
        wheel_.cancel(each.timer);
    }
}

// Any descriptor will do, and a socket is one that every system has.
void manager_state::keep_reserve() noexcept {
    if (reserve_.valid() || listeners_.empty() || stopping_) return;
    for (const listener_slot& each : listeners_) {
        if (each.shedding) return;
    }
    (void)ring_.open_socket(address_family::ipv4, reserve_);
}

// --- outbound ---

std::error_code manager_state::connect(const endpoint& peer, socket*& out) noexcept {
    if (is_full_of_sockets()) return std::make_error_code(std::errc::no_buffer_space);
    read_clock();
    fd descriptor;
    if (const auto error = ring_.open_socket(peer.family(), descriptor)) return error;
    (void)ring_.configure_socket(descriptor);
    socket* const at = take_slot(descriptor);
    if (at == nullptr) {
        (void)ring_.close_now(descriptor);
        return std::make_error_code(std::errc::not_enough_memory);
    }
    cold_of(*at).peer = peer;
    at->flags_ |= flag::outbound;
    const bool has_room = ring_.reserve(1);
    if (!has_room || ring_.prepare_connect(descriptor, cold_of(*at).peer,
                                           tag(op_kind::connect, *at)) == nullptr) {
        (void)ring_.close_now(descriptor);
        wheel_.cancel(cold_of(*at).timer);
        free_slot(*at);
        return std::make_error_code(std::errc::device_or_resource_busy);
    }
    apply(*at, close_event::connect_armed);
    out = at;
    return {};
}

void manager_state::connected(socket& at, const cqe& done) noexcept {
    if (done.res == 0) {
        if (phase_of(at) == close_phase::connecting) ++counters_.connected;
        return apply(at, close_event::connected);
    }
    note_end(at, close_reason::connect_failed, -done.res);
    apply(at, close_event::connect_failed);
}

}  // namespace ioring::detail
