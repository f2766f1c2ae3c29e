// SPDX-License-Identifier: MIT
// enter.cpp - io_uring_enter: one call a batch, and what its result hides.
#include <algorithm>
#include <cerrno>

#include "backend/uring/uring_backend.hpp"
#include "base/thread_token.hpp"
#include "ioring/prep.hpp"
#include "platform/clock.hpp"

namespace ioring::backends::uring {

int uring_backend::enter(std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
                         std::int64_t timeout_ns) noexcept {
    if (const int error = check_owner(); error != 0) return error;
    if (owner_ == detail::no_thread) {
        if (const int error = take_ownership(); error != 0) return error;
    }
    if ((flags & enter_flag::getevents) == 0) {
        return to_submit == 0 ? 0 : enter_once(to_submit, 0, 0, no_timeout);
    }
    if (min_complete == 0) return enter_once(to_submit, 0, enter_bit::getevents, no_timeout);
    return enter_and_wait(to_submit, min_complete, timeout_ns);
}

int uring_backend::enter_once(std::uint32_t to_submit, std::uint32_t min_complete,
                              std::uint32_t flags, std::int64_t timeout_ns) noexcept {
    ++enter_calls_;
    flags |= enter_bits_;
    if (timeout_ns < 0) {
        return call_io_uring_enter(enter_file_, to_submit, min_complete, flags, nullptr, 0);
    }
    if (waits_.registered()) {
        waits_.set_timeout(timeout_ns);
        return call_io_uring_enter(enter_file_, to_submit, min_complete, flags | wait_region::flags,
                                   wait_region::argument, wait_region::argument_bytes);
    }
    const kernel_timespec timeout = timespec_of(timeout_ns);
    getevents_arg argument{};
    argument.timespec = ioring::detail::address_of(&timeout);
    return call_io_uring_enter(enter_file_, to_submit, min_complete, flags | enter_bit::ext_arg,
                               &argument, sizeof argument);
}

// A wait for one completion is one call. A wait for more asks the kernel for one more than there
// are, again and again, because a wake is only one completion to it: it would go on waiting.
int uring_backend::enter_and_wait(std::uint32_t to_submit, std::uint32_t min_complete,
                                  std::int64_t timeout_ns) noexcept {
    if (take_wake()) return enter_once(to_submit, 0, enter_bit::getevents, no_timeout);

    const bool bounded = timeout_ns >= 0;
    const std::uint64_t deadline = bounded && min_complete > 1
                                       ? platform::deadline_ns(std::chrono::nanoseconds{timeout_ns})
                                       : 0;
    int taken = 0;
    for (;;) {
        const std::uint32_t wanted = std::min(min_complete, ready() + 1);
        const int result = enter_once(to_submit, wanted, enter_bit::getevents, timeout_ns);
        const bool woken = take_wake();
        // The kernel says so only when it took nothing and the queue is empty.
        if (result < 0) return taken > 0 || (woken && result == -ETIME) ? taken : result;
        taken += result;
        // It does not wait after it took fewer than it was given.
        if (static_cast<std::uint32_t>(result) < to_submit || woken) return taken;
        // Fewer than wanted: a time-out or a signal, behind a count.
        const std::uint32_t have = ready();
        if (have >= min_complete || have < wanted) return taken;
        to_submit = 0;
        if (bounded) {
            const std::uint64_t now = platform::monotonic_ns();
            if (now >= deadline) return taken;
            timeout_ns = static_cast<std::int64_t>(deadline - now);
        }
    }
}

std::uint32_t uring_backend::ready() const noexcept {
    // Acquire: what the kernel posted before the tail is complete.
    return view_.cq_tail->load(std::memory_order_acquire) -
           view_.cq_head->load(std::memory_order_relaxed);
}

// Only a wait takes a wake: one that comes while the program merely submits ends its next wait. The
// poll that the ring has armed on the descriptor may or may not have posted by then.
bool uring_backend::take_wake() noexcept {
    // Acquire, here and below: what the waker did before wake() is seen after the wait.
    if (!wake_pending_.load(std::memory_order_acquire)) return false;
    // The flag first: a wake from here on sets it and signals again.
    wake_pending_.exchange(false, std::memory_order_acquire);
    wake_.drain();
    return true;
}

int uring_backend::wake() noexcept {
    if (const int error = check_process(); error != 0) return error;
    // Release: pairs with take_wake(). The first of many signals for all.
    if (!wake_pending_.exchange(true, std::memory_order_acq_rel)) wake_.signal();
    return 0;
}

}  // namespace ioring::backends::uring
