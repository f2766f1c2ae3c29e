// SPDX-License-Identifier: MIT
// clock_posix.cpp - the system's clocks.
#include <time.h>

#include <cassert>

#include "platform/clock.hpp"

namespace ioring::platform {
namespace {

std::uint64_t read(clockid_t clock) noexcept {
    timespec now{};
    [[maybe_unused]] const int status = ::clock_gettime(clock, &now);
    assert(status == 0);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
           static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

std::uint64_t monotonic_ns() noexcept { return read(CLOCK_MONOTONIC); }

std::uint64_t realtime_ns() noexcept { return read(CLOCK_REALTIME); }

std::uint64_t boottime_ns() noexcept {
#if defined(CLOCK_BOOTTIME)
    return read(CLOCK_BOOTTIME);
#else
    return read(CLOCK_MONOTONIC);
#endif
}

}  // namespace ioring::platform
