// SPDX-License-Identifier: MIT
// windows_errors_test.cpp - the codes that Windows gives for what happens to sockets, row by row.
#include "platform/windows_errors.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <vector>

namespace ioring::platform {
namespace {

struct row {
    std::uint32_t code;
    int error;
};

TEST(windows_errors, winsock_codes_are_errno_values) {
    for (const row& each : std::vector<row>{{0, 0},
                                            {10004, EINTR},
                                            {10009, EBADF},
                                            {10013, EACCES},
                                            {10014, EFAULT},
                                            {10022, EINVAL},
                                            {10024, EMFILE},
                                            {10035, EAGAIN},
                                            {10038, ENOTSOCK},
                                            {10040, EMSGSIZE},
                                            {10045, EOPNOTSUPP},
                                            {10047, EAFNOSUPPORT},
                                            {10048, EADDRINUSE},
                                            {10049, EADDRNOTAVAIL},
                                            {10053, ECONNABORTED},
                                            {10054, ECONNRESET},
                                            {10055, ENOBUFS},
                                            {10056, EISCONN},
                                            {10057, ENOTCONN},
                                            {10058, EPIPE},
                                            {10060, ETIMEDOUT},
                                            {10061, ECONNREFUSED},
                                            {10065, EHOSTUNREACH},
                                            {995, ECANCELED},
                                            {6, EBADF},
                                            {10099, EIO}}) {
        EXPECT_EQ(each.error, errno_of_winsock(each.code)) << each.code;
    }
}

TEST(windows_errors, win32_codes_are_errno_values) {
    for (const row& each : std::vector<row>{{0, 0},
                                            {5, EACCES},
                                            {6, EBADF},
                                            {8, ENOMEM},
                                            {59, ECONNRESET},
                                            {64, ECONNRESET},
                                            {87, EINVAL},
                                            {121, ETIMEDOUT},
                                            {676, ECANCELED},
                                            {735, ECANCELED},
                                            {995, ECANCELED},
                                            {1168, ENOENT},
                                            {1225, ECONNREFUSED},
                                            {1231, ENETUNREACH},
                                            {1236, ECONNABORTED},
                                            {1450, ENOBUFS},
                                            {1455, ENOMEM},
                                            {10054, ECONNRESET},
                                            {4711, EIO}}) {
        EXPECT_EQ(each.error, errno_of_win32(each.code)) << each.code;
    }
}

TEST(windows_errors, statuses_of_operations_are_errno_values) {
    for (const row& each : std::vector<row>{{0, 0},
                                            {0x8000000A, ECANCELED},
                                            {0xC0000120, ECANCELED},
                                            {0xC000020D, ECONNRESET},
                                            {0xC000013B, ECONNRESET},
                                            {0xC0000140, ENOTCONN},
                                            {0xC0000236, ECONNREFUSED},
                                            {0xC00000B5, ETIMEDOUT},
                                            {0xC000009A, ENOBUFS},
                                            {0xC0000005, EFAULT},
                                            {0xC0000008, EBADF},
                                            {0x80000005, EMSGSIZE},
                                            {0xC0FFEE00, EIO}}) {
        EXPECT_EQ(each.error, errno_of_status(each.code)) << std::hex << each.code;
    }
}

}  // namespace
}  // namespace ioring::platform
