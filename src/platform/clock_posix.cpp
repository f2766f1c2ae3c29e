// SPDX-License-Identifier: MIT
// clock_posix.cpp - CLOCK_MONOTONIC.
#include <time.h>

#include <cassert>

#include "platform/clock.hpp"

namespace ioring::platform {

std::uint64_t monotonic_ns() noexcept {
    timespec now{};
    [[maybe_unused]] const int status = ::clock_gettime(CLOCK_MONOTONIC, &now);
    assert(status == 0);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
           static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace ioring::platform
