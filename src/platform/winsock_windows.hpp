// SPDX-License-Identifier: MIT
// winsock_windows.hpp - Winsock's headers in the order that they need, and Winsock started.
//
// Windows only, and for the .cpp files of this folder and of Windows' backends.
#pragma once

#if !defined(WIN32_LEAN_AND_MEAN)
#define WIN32_LEAN_AND_MEAN
#endif
#if !defined(NOMINMAX)
#define NOMINMAX
#endif
#include <winsock2.h>
#include <ws2tcpip.h>
// After winsock2.h.
#include <afunix.h>
#include <mswsock.h>
#include <windows.h>

#include <cstdint>

#include "platform/socket.hpp"
#include "platform/windows_errors.hpp"

namespace ioring::platform {

// WSAStartup(), before main() in every program that is linked to a file which includes this. It
// stays started: the process's end is Winsock's.
int start_winsock() noexcept;
inline const int winsock_started = start_winsock();

static_assert(sizeof(SOCKET) == sizeof(std::uintptr_t));

// What the library makes sockets of that kind with. From make_registrable_sockets() on, stream
// sockets are fit for Registered I/O: not from the start, for what else that changes about them is
// not documented.
[[nodiscard]] DWORD socket_flags(int kind) noexcept;
void make_registrable_sockets() noexcept;

// The SOCKET that the library calls `socket`, or INVALID_SOCKET.
[[nodiscard]] SOCKET system_socket(native_socket socket) noexcept;
// What the library calls `system`, which it now owns; -1, and `system` is closed, when there is no
// room for it in the table.
[[nodiscard]] native_socket name_socket(SOCKET system) noexcept;

// WSAGetLastError() as an errno value.
[[nodiscard]] inline int winsock_errno() noexcept {
    return errno_of_winsock(static_cast<std::uint32_t>(::WSAGetLastError()));
}
// GetLastError() as an errno value.
[[nodiscard]] inline int win32_errno() noexcept { return errno_of_win32(::GetLastError()); }

}  // namespace ioring::platform
