// SPDX-License-Identifier: MIT
// rio_system_windows.cpp - the function table that Winsock gives.
#include <mswsock.h>
#include <winsock2.h>

#include "backend/rio/rio_system.hpp"
#include "platform/windows_errors.hpp"

namespace ioring::backends::rio {
namespace {

abi::socket open_socket() noexcept {
    return ::WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, nullptr, 0,
                        WSA_FLAG_OVERLAPPED | WSA_FLAG_REGISTERED_IO | WSA_FLAG_NO_HANDLE_INHERIT);
}

std::int32_t close_socket(abi::socket closed) noexcept {
    return ::closesocket(closed) == 0 ? 0 : ::WSAGetLastError();
}

std::int32_t last_error() noexcept { return ::WSAGetLastError(); }

std::int32_t negative_errno(std::int32_t code) noexcept {
    return -platform::errno_of_winsock(static_cast<std::uint32_t>(code));
}

}  // namespace

bool load(system& out, std::string& why) {
    system made;
    made.last_error = &last_error;
    made.open_socket = &open_socket;
    made.close_socket = &close_socket;
    made.negative_errno = &negative_errno;
    const abi::socket asked = open_socket();
    if (asked == abi::invalid_socket) {
        why = "a socket for Registered I/O failed with " + std::to_string(::WSAGetLastError());
        return false;
    }
    abi::guid id = abi::functions_guid;
    DWORD bytes = 0;
    const int result = ::WSAIoctl(asked, abi::get_multiple_extension_functions, &id, sizeof id,
                                  &made.table, sizeof made.table, &bytes, nullptr, nullptr);
    const int code = result == 0 ? 0 : ::WSAGetLastError();
    close_socket(asked);
    if (code != 0) {
        why = "WSAIoctl gives no function table of Registered I/O (" + std::to_string(code) + ")";
        return false;
    }
    out = made;
    return true;
}

}  // namespace ioring::backends::rio
