// SPDX-License-Identifier: MIT
// pace.hpp - how much of a core the churn may use, and how late its loops were.
#pragma once

#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace ioring::soak {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

[[nodiscard]] inline std::chrono::nanoseconds cpu_time() noexcept {
    ::timespec used{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return std::chrono::seconds{used.tv_sec} + std::chrono::nanoseconds{used.tv_nsec};
}

// Says when something new may be begun, so that the process uses about `percent` of a core.
class pace {
public:
    explicit pace(std::uint32_t percent) noexcept : percent_{percent} {}
    [[nodiscard]] bool allows_more() const noexcept {
        return (cpu_time() - cpu_start_) * 100 <= (clock::now() - start_) * percent_;
    }

private:
    std::uint32_t percent_;
    clock::time_point start_ = clock::now();
    std::chrono::nanoseconds cpu_start_ = cpu_time();
};

// The longest time that one of the two loops did not come round, which they should every few
// milliseconds. What ends by a time-out in such a time is the machine's doing.
class lag_meter {
public:
    enum loop : std::size_t { of_clients, of_server };

    lag_meter() noexcept { clear(); }
    // The loop comes round, or begins.
    void mark(loop which) noexcept {
        const std::int64_t now = now_ns();
        note(now - last_[which].exchange(now));
    }
    // The loop is over: nobody waits for it.
    void leave(loop which) noexcept { last_[which] = nobody; }
    // At least as late, until now, as lets a time-out of the manager's pass meanwhile.
    [[nodiscard]] bool excuses(milliseconds least = milliseconds{250}) const noexcept {
        std::int64_t longest = longest_.load();
        for (const auto& each : last_) longest = std::max(longest, now_ns() - each.load());
        return std::chrono::nanoseconds{longest} >= least;
    }
    void clear() noexcept {
        for (auto& each : last_) each = nobody;
        longest_ = 0;
    }

private:
    static constexpr std::int64_t nobody = std::numeric_limits<std::int64_t>::max();
    static std::int64_t now_ns() noexcept { return clock::now().time_since_epoch().count(); }
    void note(std::int64_t gap) noexcept {
        std::int64_t seen = longest_.load();
        while (gap > seen && !longest_.compare_exchange_weak(seen, gap)) {
        }
    }

    std::array<std::atomic<std::int64_t>, 2> last_;
    std::atomic<std::int64_t> longest_{0};
};

}  // namespace ioring::soak
