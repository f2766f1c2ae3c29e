// SPDX-License-Identifier: MIT
// udp_system_posix.hpp - what udp_echo needs of datagram sockets that the ring does not have, by
// POSIX' calls.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace udp_system {

using native_socket = int;
using address_length = socklen_t;

constexpr native_socket no_socket = -1;
constexpr int message_cut = MSG_TRUNC;  // In msg_flags: the datagram did not fit.
#if defined(IPV6_RECVPKTINFO)
constexpr int tell_ipv6_address = IPV6_RECVPKTINFO;
#else
constexpr int tell_ipv6_address = -1;  // macOS shows it to those who ask for RFC 3542.
#endif

inline native_socket open(int family) { return ::socket(family, SOCK_DGRAM, 0); }
inline void close(native_socket which) { ::close(which); }
inline std::error_code last_error() { return {errno, std::generic_category()}; }

}  // namespace udp_system
