// SPDX-License-Identifier: MIT
// usage_windows.cpp - a process's times and its working set. Windows counts no switches of a
// process.
#include "common/usage.hpp"

#include "common/system_windows.hpp"
// After windows.h, whose types it uses.
#include <psapi.h>

namespace ioring::tools {
namespace {

// In steps of 100 ns.
std::chrono::microseconds microseconds_of(const FILETIME& time) noexcept {
    ULARGE_INTEGER steps{};
    steps.LowPart = time.dwLowDateTime;
    steps.HighPart = time.dwHighDateTime;
    return std::chrono::microseconds{static_cast<std::int64_t>(steps.QuadPart / 10)};
}

}  // namespace

usage usage_now() noexcept {
    usage now;
    FILETIME began{};
    FILETIME ended{};
    FILETIME system{};
    FILETIME user{};
    if (GetProcessTimes(GetCurrentProcess(), &began, &ended, &system, &user) != 0) {
        now.user = microseconds_of(user);
        now.system = microseconds_of(system);
    }
    PROCESS_MEMORY_COUNTERS memory{};
    if (K32GetProcessMemoryInfo(GetCurrentProcess(), &memory, sizeof memory) != 0) {
        now.memory_peak_bytes = memory.PeakWorkingSetSize;
    }
    return now;
}

}  // namespace ioring::tools
