// SPDX-License-Identifier: MIT
// clock.cpp - arithmetic on deadlines that cannot overflow. The clock itself is the system's.
#include "platform/clock.hpp"

#include <algorithm>
#include <limits>

namespace ioring::platform {

std::uint64_t deadline_ns(std::chrono::nanoseconds timeout, std::uint64_t now) noexcept {
    if (timeout.count() <= 0) return now;
    // Fits: a time-out takes 63 of the 64 bits, and 292 years of uptime the same again.
    return now + static_cast<std::uint64_t>(timeout.count());
}

std::chrono::nanoseconds time_left(std::uint64_t deadline) noexcept {
    constexpr auto longest = static_cast<std::uint64_t>(std::chrono::nanoseconds::max().count());
    const std::uint64_t now = monotonic_ns();
    if (deadline <= now) return std::chrono::nanoseconds{0};
    return std::chrono::nanoseconds{
        static_cast<std::int64_t>(std::min<std::uint64_t>(deadline - now, longest))};
}

int poll_timeout_ms(std::uint64_t deadline) noexcept {
    constexpr std::int64_t longest = std::numeric_limits<int>::max();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(time_left(deadline));
    return static_cast<int>(std::min<std::int64_t>(left.count(), longest));
}

}  // namespace ioring::platform
