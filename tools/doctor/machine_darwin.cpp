// SPDX-License-Identifier: MIT
// machine_darwin.cpp - what sysctl says on macOS.
#include <sys/sysctl.h>

#include <cstddef>
#include <cstdint>

#include "doctor/machine.hpp"

namespace doctor {

void add_system_facts(machine& out) {
    int backlog = 0;
    std::size_t bytes = sizeof backlog;
    if (sysctlbyname("kern.ipc.somaxconn", &backlog, &bytes, nullptr, 0) == 0 && backlog > 0) {
        out.backlog_max = static_cast<std::uint64_t>(backlog);
    }
    // What is installed; macOS does not say what could be had.
    std::uint64_t memory = 0;
    bytes = sizeof memory;
    if (sysctlbyname("hw.memsize", &memory, &bytes, nullptr, 0) == 0) {
        out.memory_available_bytes = memory;
    }
}

}  // namespace doctor
