// SPDX-License-Identifier: MIT
// bare_call_linux.cpp - system calls on the processors that bare_call.hpp does not know.
#include "platform/bare_call.hpp"

#if !defined(__x86_64__) && !defined(__aarch64__)

#include <unistd.h>

#include <cerrno>

namespace ioring::platform {

long bare_call(long number, long a, long b, long c, long d, long e, long f) noexcept {
    const long result = ::syscall(number, a, b, c, d, e, f);
    return result < 0 ? -errno : result;
}

}  // namespace ioring::platform

#endif
