// SPDX-License-Identifier: MIT
// agenda.hpp - the few points in time at which the server has something to do.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>

namespace echo {

using clock = std::chrono::steady_clock;

// The clock is read once a turn, and only while something is planned.
class agenda {
public:
    enum class item : std::size_t {
        statistics,    // The next line of --stats.
        end,           // --duration is over.
        accept_again,  // After a pause for want of descriptors.
        starvation,    // Look for those who hold what others wait for.
        cut_off,       // What the stop has not ended in time.
        give_up,       // What even the cut has not ended.
        count
    };
    static constexpr clock::time_point never = clock::time_point::max();

    agenda() noexcept { times_.fill(never); }

    void plan(item what, clock::time_point when) noexcept {
        times_[static_cast<std::size_t>(what)] = when;
        earliest_ = *std::min_element(times_.begin(), times_.end());
    }
    void plan_once(item what, clock::time_point when) noexcept {
        if (!is_planned(what)) plan(what, when);
    }
    void cancel(item what) noexcept {
        if (is_planned(what)) plan(what, never);
    }

    [[nodiscard]] bool is_planned(item what) const noexcept {
        return times_[static_cast<std::size_t>(what)] != never;
    }
    [[nodiscard]] bool empty() const noexcept { return earliest_ == never; }
    [[nodiscard]] clock::time_point earliest() const noexcept { return earliest_; }

    // Whether it was time for `what`; it is planned no longer then.
    [[nodiscard]] bool take(item what, clock::time_point now) noexcept {
        if (times_[static_cast<std::size_t>(what)] > now) return false;
        plan(what, never);
        return true;
    }

private:
    std::array<clock::time_point, static_cast<std::size_t>(item::count)> times_{};
    clock::time_point earliest_ = never;
};

}  // namespace echo
