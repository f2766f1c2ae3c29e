// SPDX-License-Identifier: MIT
// endpoint.cpp - what an endpoint holds, and how it is written out. Reading is in
// endpoint_parse.cpp.
#include "ioring/endpoint.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "platform/sockaddr.hpp"
#include "platform/text.hpp"

namespace ioring {
namespace platform {
namespace {

static_assert(sizeof(sockaddr_storage) <= endpoint::capacity);
static_assert(sizeof(sockaddr_un) <= endpoint::capacity);

// Whether parse() reads `name` back as a zone: no bracket, not taken for a number.
bool plain_interface_name(std::string_view name) {
    const auto plain = [](char c) {
        return is_digit(c) || is_letter(c) || c == '-' || c == '_' || c == '.' || c == '@' ||
               c == ':';
    };
    return std::all_of(name.begin(), name.end(), plain) && !only_digits(name);
}

std::string zone_text(std::uint32_t index) {
    std::array<char, IF_NAMESIZE> name{};
    if (::if_indextoname(index, name.data()) != nullptr && plain_interface_name(name.data())) {
        return name.data();
    }
    return std::to_string(index);
}

std::string ipv4_text(const endpoint& address) {
    const auto in = load_address<sockaddr_in>(address);
    std::array<char, INET_ADDRSTRLEN> host{};
    ::inet_ntop(AF_INET, &in.sin_addr, host.data(), static_cast<socklen_t>(host.size()));
    return std::string{host.data()} + ':' + std::to_string(address.port());
}

std::string ipv6_text(const endpoint& address) {
    const auto in = load_address<sockaddr_in6>(address);
    std::array<char, INET6_ADDRSTRLEN> host{};
    ::inet_ntop(AF_INET6, &in.sin6_addr, host.data(), static_cast<socklen_t>(host.size()));
    std::string text = "[";
    text += host.data();
    if (in.sin6_scope_id != 0) text += '%' + zone_text(in.sin6_scope_id);
    return text + "]:" + std::to_string(address.port());
}

std::string local_text(const endpoint& address) {
    const std::string_view name = local_name(address);
    if (name.empty()) return "unix:";
    if (name[0] == '\0') return "unix:@" + std::string{name.substr(1)};
    // A file in the current folder whose name begins with @ is no abstract name.
    return (name[0] == '@' ? "unix:./" : "unix:") + std::string{name};
}

}  // namespace

int native_family(address_family family) noexcept {
    switch (family) {
        case address_family::ipv4: return AF_INET;
        case address_family::ipv6: return AF_INET6;
        case address_family::local: return AF_UNIX;
        case address_family::unspecified: break;
    }
    return AF_UNSPEC;
}

}  // namespace platform

address_family endpoint::family() const noexcept {
    if (size_ < offsetof(sockaddr, sa_family) + sizeof(sockaddr::sa_family)) {
        return address_family::unspecified;
    }
    switch (platform::load_address<sockaddr>(*this).sa_family) {
        case AF_INET:
            if (size_ >= sizeof(sockaddr_in)) return address_family::ipv4;
            break;
        case AF_INET6:
            if (size_ >= sizeof(sockaddr_in6)) return address_family::ipv6;
            break;
        case AF_UNIX: return address_family::local;
        default: break;
    }
    return address_family::unspecified;
}

std::uint16_t endpoint::port() const noexcept {
    switch (family()) {
        case address_family::ipv4:
            return ntohs(platform::load_address<sockaddr_in>(*this).sin_port);
        case address_family::ipv6:
            return ntohs(platform::load_address<sockaddr_in6>(*this).sin6_port);
        case address_family::local:
        case address_family::unspecified: break;
    }
    return 0;
}

bool operator==(const endpoint& left, const endpoint& right) noexcept {
    const address_family family = left.family();
    if (family != right.family() || left.port() != right.port()) return false;
    switch (family) {
        case address_family::ipv4:
            return platform::load_address<sockaddr_in>(left).sin_addr.s_addr ==
                   platform::load_address<sockaddr_in>(right).sin_addr.s_addr;
        case address_family::ipv6: {
            const auto a = platform::load_address<sockaddr_in6>(left);
            const auto b = platform::load_address<sockaddr_in6>(right);
            return a.sin6_scope_id == b.sin6_scope_id &&
                   std::memcmp(&a.sin6_addr, &b.sin6_addr, sizeof(a.sin6_addr)) == 0;
        }
        case address_family::local:
            return platform::local_name(left) == platform::local_name(right);
        case address_family::unspecified: break;
    }
    return left.size_ == right.size_ &&
           std::memcmp(left.storage_.data(), right.storage_.data(), left.size_) == 0;
}

std::string to_string(const endpoint& address) {
    switch (address.family()) {
        case address_family::ipv4: return platform::ipv4_text(address);
        case address_family::ipv6: return platform::ipv6_text(address);
        case address_family::local: return platform::local_text(address);
        case address_family::unspecified: break;
    }
    return "unspecified";
}

}  // namespace ioring
