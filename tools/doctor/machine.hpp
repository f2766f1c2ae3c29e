// SPDX-License-Identifier: MIT
// machine.hpp - what the system says of itself, of this process's rights and of its limits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "doctor/fit.hpp"

namespace doctor {

struct soft_and_hard {
    std::uint64_t soft = unlimited;  // In force.
    std::uint64_t hard = unlimited;  // What the process may raise it to.
};

// Empty or without a value: there is no such thing here, or it cannot be read.
struct machine {
    std::string system;        // "Linux"
    std::string release;       // "6.18.5"
    std::string architecture;  // "x86_64"

    // Linux: the sysctls kernel.io_uring_disabled and kernel.io_uring_group.
    std::optional<std::int64_t> io_uring_disabled;
    std::optional<std::int64_t> io_uring_group;
    // Linux: of /proc/self/status. Seccomp: 0 none, 1 strict, 2 a filter.
    std::optional<std::int64_t> seccomp_mode;
    std::optional<std::int64_t> seccomp_filters;
    std::optional<bool> no_new_privileges;
    std::optional<bool> may_lock_memory;  // CAP_IPC_LOCK: RLIMIT_MEMLOCK does not count.
    std::string container;                // Which, and the sign of it: "docker (/.dockerenv)".

    soft_and_hard descriptors;
    std::optional<std::uint64_t> descriptors_used;
    soft_and_hard locked_memory_bytes;
    soft_and_hard address_space_bytes;
    std::uint64_t mappings_max = unlimited;
    std::optional<std::uint64_t> mappings_used;
    std::optional<std::uint64_t> backlog_max;
    // What programs may still use without pushing others out; the least of machine and container.
    std::uint64_t memory_available_bytes = unlimited;
    std::uint64_t page_bytes = 4096;
};

// Of this process, now.
[[nodiscard]] machine examine_machine();

// What each system adds to what all have.
void add_system_facts(machine& out);

// What a process on `of` may have when it raises what it may.
[[nodiscard]] allowances allowances_of(const machine& of);

}  // namespace doctor
