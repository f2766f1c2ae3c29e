// SPDX-License-Identifier: MIT
// windows_errors.hpp - the error codes of Windows as errno values, which results are made of.
//
// Windows has three spaces of numbers: Winsock's (WSAGetLastError), Win32's (GetLastError, which
// also tells of overlapped operations) and NTSTATUS, which is in OVERLAPPED::Internal. Each has its
// own table here. No header of Windows is needed, so that the tables are tested on every system.
//
// 0 is 0; a code that no table has is EIO.
#pragma once

#include <cstdint>

namespace ioring::platform {

[[nodiscard]] int errno_of_winsock(std::uint32_t code) noexcept;
[[nodiscard]] int errno_of_win32(std::uint32_t code) noexcept;
[[nodiscard]] int errno_of_status(std::uint32_t status) noexcept;

}  // namespace ioring::platform
