// SPDX-License-Identifier: MIT
// affinity_bsd.cpp - each BSD has a call of its own, or none; none is used. Not compiled here.
#include "common/affinity.hpp"

#include <fmt/core.h>

namespace ioring::tools {

bool pin_to_cpu(int cpu, std::string& why) {
    why = fmt::format(
        "cannot pin to CPU {} here: start the program by the system's own tool, such "
        "as cpuset -l {}",
        cpu, cpu);
    return false;
}

void ask_for_precise_waits() noexcept {}

}  // namespace ioring::tools
