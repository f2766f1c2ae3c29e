// SPDX-License-Identifier: MIT
// udp_system_windows.hpp - what udp_echo needs of datagram sockets that the ring does not have, by
// Winsock. The library has started that.
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
#include <mswsock.h>

#include <system_error>

#include <ioring/message.hpp>
#include <ioring/sqe.hpp>

namespace udp_system {

using native_socket = SOCKET;
using address_length = int;

constexpr native_socket no_socket = INVALID_SOCKET;
constexpr int message_cut = ioring::msg_flag::trunc;
constexpr int tell_ipv6_address = IPV6_PKTINFO;

inline native_socket open(int family) {
    const native_socket made = ::WSASocketW(family, SOCK_DGRAM, 0, nullptr, 0, WSA_FLAG_OVERLAPPED);
    // A sender that is gone is no error of the receive that comes after the answer to it.
    BOOL tells_of_the_unreachable = FALSE;
    DWORD bytes = 0;
    ::WSAIoctl(made, SIO_UDP_CONNRESET, &tells_of_the_unreachable, sizeof tells_of_the_unreachable,
               nullptr, 0, &bytes, nullptr, nullptr);
    return made;
}
inline void close(native_socket which) { ::closesocket(which); }
inline std::error_code last_error() { return {::WSAGetLastError(), std::system_category()}; }

}  // namespace udp_system
