// SPDX-License-Identifier: MIT
// manager_overload.cpp - when there is too much to do already, nobody else is accepted.
//
// What is in flight of accepts is ended, so that the system's queue holds who comes; a connection
// that is accepted meanwhile is welcome, for it was there before.
#include <cerrno>
#include <utility>

#include "socket/manager_state.hpp"

namespace ioring::detail {

// At the beginning of a turn: how long has the program taken for the last one's events?
void manager_state::note_lag() noexcept {
    const std::uint64_t since = std::exchange(woken_ns_, 0);
    const auto bound = std::chrono::nanoseconds{options_.accept_lag_max}.count();
    if (bound == 0 || since == 0) return;
    if (now_ns_ - since <= static_cast<std::uint64_t>(bound)) return;
    late_again_ = true;
    if (!is_late_) lag_is_over();
}

// Nothing was late for a while, unless it was.
void manager_state::lag_is_over() noexcept {
    is_late_ = std::exchange(late_again_, false);
    if (!is_late_) return;
    lag_ = wheel_.arm(tick_after(lag_period), user_data{timer_kind::lag});
    is_late_ = lag_.valid();
}

// An errno while nobody is to be accepted, or 0.
int manager_state::overload() noexcept {
    const std::uint64_t bound = options_.accept_memory_max_bytes;
    if (bound != 0) {
        const std::uint64_t bytes =
            std::uint64_t{buffers_lent_} * options_.buffer_bytes + owned_bytes_;
        is_heavy_ = bytes >= (is_heavy_ ? bound / 4 * 3 : bound);
    }
    if (is_heavy_) return ENOMEM;
    return is_late_ ? EBUSY : 0;
}

void manager_state::hold_accepts(listener_slot& which, std::uint32_t slot, int error) noexcept {
    if (!std::exchange(which.held, true)) tell_pause(which, error);
    end_accepts(which, slot);
}

void manager_state::end_accepts(listener_slot& which, std::uint32_t slot) noexcept {
    if (which.in_flight == 0 || which.cancelled || which.shedding) return;
    const std::uint64_t name = user_data{op_kind::accept, slot, which.generation};
    which.cancelled = ring_.prepare_cancel(name, user_data{op_kind::cancel_accept, slot},
                                           cancel_flag::all) != nullptr;
    if (which.cancelled) ++cancels_in_flight_;
}

}  // namespace ioring::detail
