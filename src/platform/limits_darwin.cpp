// SPDX-License-Identifier: MIT
// limits_darwin.cpp - the limits that sysctl knows.
#include <sys/sysctl.h>

#include <cstddef>

#include "platform/limits.hpp"

namespace ioring::platform {

std::uint64_t mapping_limit() noexcept { return unlimited; }

std::uint64_t backlog_limit() noexcept {
    int value = 0;
    std::size_t bytes = sizeof(value);
    if (::sysctlbyname("kern.ipc.somaxconn", &value, &bytes, nullptr, 0) != 0 || value < 0)
        return 0;
    return static_cast<std::uint64_t>(value);
}

}  // namespace ioring::platform
