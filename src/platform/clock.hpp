// SPDX-License-Identifier: MIT
// clock.hpp - the monotonic clock, as a number.
#pragma once

#include <chrono>
#include <cstdint>

namespace ioring::platform {

// Nanoseconds since some moment in the past, never going back; the clock of the kernel's own
// time-outs (CLOCK_MONOTONIC). About 20-50 ns a call. Any thread, any signal handler.
[[nodiscard]] std::uint64_t monotonic_ns() noexcept;

// Nanoseconds since 1970 (CLOCK_REALTIME), and those since the start of the system with the time
// that it was suspended (CLOCK_BOOTTIME on Linux; elsewhere the monotonic clock).
[[nodiscard]] std::uint64_t realtime_ns() noexcept;
[[nodiscard]] std::uint64_t boottime_ns() noexcept;

// The moment `timeout` from now; now for a negative one.
[[nodiscard]] std::uint64_t deadline_ns(std::chrono::nanoseconds timeout,
                                        std::uint64_t now = monotonic_ns()) noexcept;

// How long it is until `deadline`: 0 when it has passed, never more than the type holds.
[[nodiscard]] std::chrono::nanoseconds time_left(std::uint64_t deadline) noexcept;

// The same in whole milliseconds rounded up and cut
// to what poll(2) takes: a wait for it never ends before the deadline does.
[[nodiscard]] int poll_timeout_ms(std::uint64_t deadline) noexcept;

}  // namespace ioring::platform
