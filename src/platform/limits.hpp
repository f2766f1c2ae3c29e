// SPDX-License-Identifier: MIT
// limits.hpp - the system's limits that decide how many connections and buffers fit.
//
// For the texts of errors, for tools, and for programs that want more descriptors. Read anew at
// each call; nothing is cached. Any thread.
#pragma once

#include <cstdint>

namespace ioring::platform {

// The value of a limit that is none.
inline constexpr std::uint64_t unlimited = ~std::uint64_t{0};

struct limit_pair {
    std::uint64_t soft = 0;  // In force.
    std::uint64_t hard = 0;  // What a process without privileges may raise it to.
};

// Descriptors that this process may have open (RLIMIT_NOFILE).
[[nodiscard]] limit_pair descriptor_limit() noexcept;
// Bytes that this user's processes may lock or have pinned (RLIMIT_MEMLOCK). Root is exempt on
// Linux.
[[nodiscard]] limit_pair memlock_limit() noexcept;
// Mappings that a process may have (Linux: vm.max_map_count). `unlimited` where there is no such
// limit, 0 when it cannot be read.
[[nodiscard]] std::uint64_t mapping_limit() noexcept;
// The greatest backlog of a listener (Linux: net.core.somaxconn). 0 when it cannot be read.
[[nodiscard]] std::uint64_t backlog_limit() noexcept;

// Raises the soft limit of descriptors to `wanted`, or as far as the process is allowed to, and the
// hard one too where it has the privilege. Never lowers a limit. Returns the soft limit then in
// force: compare it with `wanted`. Affects the whole process and what it starts.
std::uint64_t raise_descriptor_limit(std::uint64_t wanted) noexcept;

}  // namespace ioring::platform
