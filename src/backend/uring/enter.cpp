// SPDX-License-Identifier: MIT
// enter.cpp - io_uring_enter: one call a batch.
#include <cerrno>

#include "backend/uring/uring_backend.hpp"
#include "base/thread_token.hpp"
#include "ioring/prep.hpp"

namespace ioring::backends::uring {

int uring_backend::enter(std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
                         std::int64_t timeout_ns) noexcept {
    if (!detail::is_this_thread(owner_) || check_process() != 0) [[unlikely]] {
        if (const int error = check_owner(); error != 0) return error;
        if (const int error = take_ownership(); error != 0) return error;
    }
    const bool gets_events = (flags & enter_flag::getevents) != 0;
    if (!gets_events && to_submit == 0) return 0;
    ++enter_calls_;
    const std::uint32_t bits = enter_bits_ | (gets_events ? enter_bit::getevents : 0);
    if (min_complete == 0 || timeout_ns < 0) {
        return call_io_uring_enter(enter_file_, to_submit, gets_events ? min_complete : 0, bits,
                                   nullptr, 0);
    }
    return enter_timed(to_submit, min_complete, bits, timeout_ns);
}

int uring_backend::enter_timed(std::uint32_t to_submit, std::uint32_t min_complete,
                               std::uint32_t bits, std::int64_t timeout_ns) noexcept {
    if (waits_.registered()) {
        waits_.set_timeout(timeout_ns);
        return call_io_uring_enter(enter_file_, to_submit, min_complete, bits | wait_region::flags,
                                   wait_region::argument, wait_region::argument_bytes);
    }
    const kernel_timespec timeout = timespec_of(timeout_ns);
    getevents_arg argument{};
    argument.timespec = ioring::detail::address_of(&timeout);
    return call_io_uring_enter(enter_file_, to_submit, min_complete, bits | enter_bit::ext_arg,
                               &argument, sizeof argument);
}

}  // namespace ioring::backends::uring
