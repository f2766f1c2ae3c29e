// SPDX-License-Identifier: MIT
// machine_bsd.cpp - what is installed; the BSDs' sysctls differ too much for more.
#include <unistd.h>

#include <cstdint>

#include "doctor/machine.hpp"

namespace doctor {

void add_system_facts(machine& out) {
    const long pages = sysconf(_SC_PHYS_PAGES);
    if (pages > 0) out.memory_available_bytes = static_cast<std::uint64_t>(pages) * out.page_bytes;
}

}  // namespace doctor
