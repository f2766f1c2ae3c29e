// SPDX-License-Identifier: MIT
// limits_windows.cpp - Windows has few limits that a program could read or raise.
#include "platform/limits.hpp"
#include "platform/socket_table.hpp"
#include "platform/winsock_windows.hpp"

namespace ioring::platform {

// The system's own, 16 million handles, lies above the library's.
limit_pair descriptor_limit() noexcept {
    return {.soft = socket_table::slots_max, .hard = socket_table::slots_max};
}

limit_pair memlock_limit() noexcept { return {.soft = unlimited, .hard = unlimited}; }

std::uint64_t mapping_limit() noexcept { return unlimited; }

std::uint64_t backlog_limit() noexcept { return SOMAXCONN; }

std::uint64_t raise_descriptor_limit(std::uint64_t) noexcept { return socket_table::slots_max; }

}  // namespace ioring::platform
