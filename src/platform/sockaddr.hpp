// SPDX-License-Identifier: MIT
// sockaddr.hpp - the system's address structures, in and out of an endpoint.
//
// Includes the system's headers: for the .cpp files of this folder only.
#pragma once

#if defined(_WIN32)
#include "platform/winsock_windows.hpp"
// After Winsock's headers.
#include <iphlpapi.h>
#else
#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#endif

#include <cstddef>
#include <cstring>
#include <string_view>

#include "ioring/endpoint.hpp"

namespace ioring::platform {

// Where the name begins in a sockaddr_un. The system counts only the bytes in use.
inline constexpr std::size_t local_name_offset = offsetof(sockaddr_un, sun_path);
// Bytes that a local name may have: one is kept for the 0 that ends a path.
inline constexpr std::size_t local_name_bytes_max = sizeof(sockaddr_un::sun_path) - 1;

// Copies instead of casts, so that no aliasing or alignment is assumed.
template <typename Address>
[[nodiscard]] Address load_address(const endpoint& from) noexcept {
    static_assert(sizeof(Address) <= endpoint::capacity);
    Address address;
    std::memcpy(&address, from.data(), sizeof(address));
    return address;
}

template <typename Address>
void store_address(endpoint& to, const Address& address, std::size_t bytes) noexcept {
    static_assert(sizeof(Address) <= endpoint::capacity);
    to = endpoint{};
    std::memcpy(to.data(), &address, sizeof(address));
    to.resize(bytes);
}

[[nodiscard]] inline const sockaddr* as_sockaddr(const endpoint& address) noexcept {
    return static_cast<const sockaddr*>(address.data());
}

[[nodiscard]] inline socklen_t as_socklen(const endpoint& address) noexcept {
    return static_cast<socklen_t>(address.size());
}

// The name in a local endpoint: a path, or a 0 byte and an abstract name, or nothing.
[[nodiscard]] inline std::string_view local_name(const endpoint& from) noexcept {
    if (from.size() <= local_name_offset) return {};
    const char* const name = static_cast<const char*>(from.data()) + local_name_offset;
    const std::size_t bytes = from.size() - local_name_offset;
    // The system may or may not count the 0 that ends a path.
    return name[0] == '\0' ? std::string_view{name, bytes}
                           : std::string_view{name, ::strnlen(name, bytes)};
}

// AF_INET and so on; AF_UNSPEC for unspecified.
[[nodiscard]] int native_family(address_family family) noexcept;

// Reads `host`, a numeric address without brackets and port; nullptr, or a clause that says what is
// wrong with it (`out` may then be anything).
[[nodiscard]] const char* parse_ipv4_host(std::string_view host, std::uint16_t port,
                                          endpoint& out) noexcept;
[[nodiscard]] const char* parse_ipv6_host(std::string_view host, std::uint16_t port,
                                          endpoint& out) noexcept;

}  // namespace ioring::platform
