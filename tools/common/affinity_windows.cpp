// SPDX-License-Identifier: MIT
// affinity_windows.cpp - a thread's affinity mask, and the resolution of timers.
#include "common/affinity.hpp"

#include <fmt/core.h>

#include "common/system_windows.hpp"

namespace ioring::tools {

// Of the thread's own group of up to 64 CPUs.
bool pin_to_cpu(int cpu, std::string& why) {
    constexpr int cpus_max = 64;
    if (cpu < 0 || cpu >= cpus_max) {
        why = fmt::format("there is no CPU {}: give a number from 0 to {}", cpu, cpus_max - 1);
        return false;
    }
    if (SetThreadAffinityMask(GetCurrentThread(), DWORD_PTR{1} << static_cast<unsigned>(cpu)) !=
        0) {
        return true;
    }
    why = fmt::format("CPU {} is not there or not allowed to this process", cpu);
    return false;
}

// Waits end with a tick of 15.6 ms otherwise.
void ask_for_precise_waits() noexcept {
    using begin_period = UINT(WINAPI*)(UINT milliseconds);
    const HMODULE library = LoadLibraryW(L"winmm.dll");
    if (library == nullptr) return;
    // Through void*: the compiler warns of a cast between function types.
    auto* const begin = reinterpret_cast<begin_period>(
        reinterpret_cast<void*>(GetProcAddress(library, "timeBeginPeriod")));
    if (begin != nullptr) begin(1);
}

}  // namespace ioring::tools
