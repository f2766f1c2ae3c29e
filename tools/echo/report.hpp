// SPDX-License-Identifier: MIT
// report.hpp - what the server tells of itself: each second, and at the end.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/usage.hpp"
#include "echo/counters.hpp"
#include "ioring/ring_options.hpp"

namespace echo {

// What was counted up to one moment.
struct sample {
    std::chrono::steady_clock::time_point when;
    counters counted;
    ioring::ring_counters ring;
    ioring::tools::usage used;
};

// What another thread has counted goes to `all`; what the process has used is in both.
void add(sample& all, const sample& other) noexcept;
// `now` without what was counted up to `before`.
[[nodiscard]] sample difference(const sample& now, const sample& before) noexcept;

struct report {
    std::string strategy;
    std::string backend;
    std::chrono::duration<double> seconds{0};
    sample total;
    sample serving;       // Up to the begin of the stop, which has calls of its own.
    std::string buffers;  // The strategy's line, as it was then; of the first thread.
    std::vector<std::uint64_t> accepted_by_thread;
};

// One line, without its end, on the time since `before`.
[[nodiscard]] std::string statistics_line(const sample& now, const sample& before,
                                          std::chrono::steady_clock::time_point start);
// Several lines, each ended.
[[nodiscard]] std::string report_text(const report& what);
// One object in one line, without its end.
[[nodiscard]] std::string report_json(const report& what);

}  // namespace echo
