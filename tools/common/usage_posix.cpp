// SPDX-License-Identifier: MIT
// usage_posix.cpp - getrusage.
#include "common/usage.hpp"

#include <sys/resource.h>

#include "common/usage_os.hpp"

namespace ioring::tools {
namespace {

std::chrono::microseconds microseconds_of(const timeval& time) noexcept {
    return std::chrono::seconds{time.tv_sec} + std::chrono::microseconds{time.tv_usec};
}

}  // namespace

usage usage_now() noexcept {
    rusage now{};
    getrusage(RUSAGE_SELF, &now);
    return {
        .user = microseconds_of(now.ru_utime),
        .system = microseconds_of(now.ru_stime),
        .waits = static_cast<std::uint64_t>(now.ru_nvcsw),
        .preemptions = static_cast<std::uint64_t>(now.ru_nivcsw),
        .memory_peak_bytes = static_cast<std::uint64_t>(now.ru_maxrss) * memory_peak_unit_bytes};
}

}  // namespace ioring::tools
