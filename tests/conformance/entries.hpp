// SPDX-License-Identifier: MIT
// entries.hpp - short words for tests that write many entries: marks, times, results.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "conformance.hpp"

namespace ioring::conformance {

// Marks what a prepare_* of the ring returned; a test never meets a full queue.
inline sqe* with_flags(sqe* entry, std::uint8_t flags) {
    EXPECT_NE(nullptr, entry) << "the submission queue is full";
    if (entry != nullptr) entry->flags |= flags;
    return entry;
}
inline sqe* with_link(sqe* entry) { return with_flags(entry, sqe_flag::io_link); }
inline sqe* with_hardlink(sqe* entry) { return with_flags(entry, sqe_flag::io_hardlink); }
inline sqe* with_skip(sqe* entry) { return with_flags(entry, sqe_flag::cqe_skip_success); }

[[nodiscard]] constexpr kernel_timespec time_of(std::chrono::nanoseconds length) {
    return {.tv_sec = length.count() / 1'000'000'000, .tv_nsec = length.count() % 1'000'000'000};
}
// Longer than any test: what waits for it does not end by itself.
inline constexpr kernel_timespec an_hour{.tv_sec = 3600, .tv_nsec = 0};

// What the one completion of `user_data` says.
[[nodiscard]] inline int result_of(const std::vector<cqe>& all, std::uint64_t user_data) {
    return with_user_data(all, user_data).res;
}

[[nodiscard]] inline std::chrono::milliseconds since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 start);
}

// Waits as submit_and_wait(), and goes on after an -EINTR: in a process that uses io_uring as well,
// the kernel interrupts any sleep for work of its own.
inline int wait_through(ring& on, std::uint32_t min_complete, std::chrono::nanoseconds timeout) {
    const auto end = std::chrono::steady_clock::now() + timeout;
    for (;;) {
        const int taken = on.submit_and_wait(min_complete, timeout);
        if (taken != -EINTR) return taken;
        timeout = end - std::chrono::steady_clock::now();
    }
}

// Those that post completions as soon as they can. The others (late_linux.cpp) hold them back and
// let them overtake each other, as D1 of the contract allows: no place to test order and counts.
[[nodiscard]] std::vector<std::string> names_of_prompt();
inline auto every_prompt_backend() { return testing::ValuesIn(names_of_prompt()); }

// The backends that have `which`, and those that cannot be set up, whose tests then skip. That one
// without it refuses what needs it is a test of its own (refusal_test).
[[nodiscard]] std::vector<std::string> names_with(feature which);
inline auto every_backend_with(feature which) { return testing::ValuesIn(names_with(which)); }

}  // namespace ioring::conformance
