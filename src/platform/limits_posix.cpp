// SPDX-License-Identifier: MIT
// limits_posix.cpp - the limits that getrlimit() knows.
#include <sys/resource.h>

#include <algorithm>

#include "platform/limits.hpp"

namespace ioring::platform {
namespace {

std::uint64_t to_limit(rlim_t value) {
    return value == RLIM_INFINITY ? unlimited : static_cast<std::uint64_t>(value);
}

template <typename Resource>
limit_pair read_limit(Resource resource) {
    rlimit limit{};
    if (::getrlimit(resource, &limit) != 0) return {};
    return {to_limit(limit.rlim_cur), to_limit(limit.rlim_max)};
}

bool set_descriptor_limit(rlim_t soft, rlim_t hard) {
    rlimit limit{};
    limit.rlim_cur = soft;
    limit.rlim_max = hard;
    return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

}  // namespace

limit_pair descriptor_limit() noexcept { return read_limit(RLIMIT_NOFILE); }

limit_pair memlock_limit() noexcept { return read_limit(RLIMIT_MEMLOCK); }

std::uint64_t raise_descriptor_limit(std::uint64_t wanted) noexcept {
    const limit_pair now = descriptor_limit();
    if (wanted <= now.soft) return now.soft;
    const auto target = static_cast<rlim_t>(wanted);
    if (wanted > now.hard && set_descriptor_limit(target, target)) return descriptor_limit().soft;
    const auto hard = static_cast<rlim_t>(now.hard);
    set_descriptor_limit(std::min(target, hard), hard);
    return descriptor_limit().soft;
}

}  // namespace ioring::platform
