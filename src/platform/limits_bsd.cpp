// SPDX-License-Identifier: MIT
// limits_bsd.cpp - the limits that sysctl knows. Not compiled here.
#include <sys/types.h>

// After sys/types.h, on which FreeBSD's relies.
#include <sys/sysctl.h>

#include <cstddef>

#include "platform/limits.hpp"

namespace ioring::platform {
namespace {

// Fails, with -1 as ever, for a name that the system does not have.
int backlog_max(int* value, std::size_t* bytes) noexcept {
#if defined(__OpenBSD__)
    const int name[] = {CTL_KERN, KERN_SOMAXCONN};
    return ::sysctl(name, 2, value, bytes, nullptr, 0);
#elif defined(__NetBSD__)
    return ::sysctlbyname("kern.somaxconn", value, bytes, nullptr, 0);
#else
    return ::sysctlbyname("kern.ipc.soacceptqueue", value, bytes, nullptr, 0);
#endif
}

}  // namespace

std::uint64_t mapping_limit() noexcept { return unlimited; }

std::uint64_t backlog_limit() noexcept {
    int value = 0;
    std::size_t bytes = sizeof(value);
    if (backlog_max(&value, &bytes) != 0 || value < 0) return 0;
    return static_cast<std::uint64_t>(value);
}

}  // namespace ioring::platform
