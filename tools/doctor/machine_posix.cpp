// SPDX-License-Identifier: MIT
// machine_posix.cpp - what every system with getrlimit and uname says.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>

#include "doctor/machine.hpp"

namespace doctor {
namespace {

std::uint64_t value_of(rlim_t limit) {
    return limit == RLIM_INFINITY ? unlimited : static_cast<std::uint64_t>(limit);
}

template <class Resource>
soft_and_hard limit_of(Resource which) {
    rlimit limit{};
    if (getrlimit(which, &limit) != 0) return {};
    return {value_of(limit.rlim_cur), value_of(limit.rlim_max)};
}

std::uint64_t count_descriptors(std::uint64_t limit) {
    constexpr std::uint64_t tried_max = 65'536;
    std::uint64_t used = 0;
    for (std::uint64_t number = 0; number < std::min(limit, tried_max); ++number) {
        if (fcntl(static_cast<int>(number), F_GETFD) != -1) ++used;
    }
    return used;
}

}  // namespace

machine examine_machine() {
    machine found;
    utsname name{};
    if (uname(&name) == 0) {
        found.system = name.sysname;
        found.release = name.release;
        found.architecture = name.machine;
    }
    found.descriptors = limit_of(RLIMIT_NOFILE);
    found.descriptors_used = count_descriptors(found.descriptors.soft);
    found.locked_memory_bytes = limit_of(RLIMIT_MEMLOCK);
    found.address_space_bytes = limit_of(RLIMIT_AS);
    if (const long page = sysconf(_SC_PAGESIZE); page > 0) {
        found.page_bytes = static_cast<std::uint64_t>(page);
    }
    add_system_facts(found);
    return found;
}

}  // namespace doctor
