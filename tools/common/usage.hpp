// SPDX-License-Identifier: MIT
// usage.hpp - what the process has used of the machine.
#pragma once

#include <chrono>
#include <cstdint>

namespace ioring::tools {

struct usage {
    std::chrono::microseconds user{0};    // CPU time in the program,
    std::chrono::microseconds system{0};  // and in the system for it, all threads.
    std::uint64_t waits = 0;              // Times that it gave the CPU away to wait.
    std::uint64_t preemptions = 0;        // Times that the CPU was taken from it.
    std::uint64_t memory_peak_bytes = 0;  // Resident; not a difference.

    [[nodiscard]] std::chrono::microseconds cpu() const noexcept { return user + system; }
};

// Of the calling process since its start.
[[nodiscard]] usage usage_now() noexcept;
// From `before` to `after`; the peak is that of `after`.
[[nodiscard]] usage operator-(const usage& after, const usage& before) noexcept;

}  // namespace ioring::tools
