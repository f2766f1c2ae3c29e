// SPDX-License-Identifier: MIT
// usage.cpp - what was used between two times.
#include "common/usage.hpp"

namespace ioring::tools {

usage operator-(const usage& after, const usage& before) noexcept {
    return {.user = after.user - before.user,
            .system = after.system - before.system,
            .waits = after.waits - before.waits,
            .preemptions = after.preemptions - before.preemptions,
            .memory_peak_bytes = after.memory_peak_bytes};
}

}  // namespace ioring::tools
