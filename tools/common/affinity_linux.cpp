// SPDX-License-Identifier: MIT
// affinity_linux.cpp - sched_setaffinity and the timer slack.
#include "common/affinity.hpp"

#include <sched.h>
#include <sys/prctl.h>

#include <cerrno>
#include <system_error>

#include <fmt/core.h>

namespace ioring::tools {

bool pin_to_cpu(int cpu, std::string& why) {
    if (cpu < 0 || cpu >= CPU_SETSIZE) {
        why = fmt::format("there is no CPU {}: give a number from 0 to {}", cpu, CPU_SETSIZE - 1);
        return false;
    }
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(cpu), &set);
    if (sched_setaffinity(0, sizeof set, &set) == 0) return true;
    const int error = errno;
    if (error == EINVAL) {
        why =
            fmt::format("CPU {} is not there or not allowed to this process: see taskset -p", cpu);
    } else {
        why = fmt::format("cannot pin to CPU {}: {}", cpu, std::generic_category().message(error));
    }
    return false;
}

void ask_for_precise_waits() noexcept { prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); }

}  // namespace ioring::tools
