// SPDX-License-Identifier: MIT
// bare_call.hpp - a system call without the C library's wrapper.
//
// The wrapper is reached through a table and keeps errno: a few nanoseconds of the 150 that a call
// costs, more right after the kernel has cooled the branch predictor. It returns -errno, as the
// kernel does. Linux.
#pragma once

namespace ioring::platform {

#if defined(__x86_64__)

inline long bare_call(long number, long a, long b, long c, long d, long e, long f) noexcept {
    long result = number;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    // The kernel overwrites rcx and r11, and may read and write any memory.
    __asm__ volatile("syscall"
                     : "+a"(result)
                     : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#elif defined(__aarch64__)

inline long bare_call(long number, long a, long b, long c, long d, long e, long f) noexcept {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc #0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}

#else

// By the C library after all.
long bare_call(long number, long a, long b, long c, long d, long e, long f) noexcept;

#endif

}  // namespace ioring::platform
