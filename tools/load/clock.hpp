// SPDX-License-Identifier: MIT
// clock.hpp - the monotonic clock in nanoseconds, and the open loop's schedule on it.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

namespace load {

inline constexpr std::int64_t never_ns = std::numeric_limits<std::int64_t>::max();

[[nodiscard]] inline std::int64_t now_ns() noexcept {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

// Evenly spaced times: message `k` of all is due at start + k / rate.
class schedule {
public:
    schedule() = default;
    schedule(double rate_per_second, std::int64_t start_ns) noexcept
        : start_ns_{start_ns}, period_ns_{1e9 / rate_per_second} {}

    [[nodiscard]] std::int64_t time_of(std::uint64_t k) const noexcept {
        // A double holds whole nanoseconds for 104 days.
        return start_ns_ + static_cast<std::int64_t>(static_cast<double>(k) * period_ns_);
    }

private:
    std::int64_t start_ns_ = 0;
    double period_ns_ = 0;
};

}  // namespace load
