// SPDX-License-Identifier: MIT
// endpoint_parse.cpp - reading an endpoint from text, and nothing that is not written as it should
// be.
//
// Each step returns nullptr or a clause that says what is wrong, for the end of a sentence.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>

#include "platform/sockaddr.hpp"
#include "platform/text.hpp"

namespace ioring {
namespace platform {
namespace {

using problem = const char*;
constexpr problem none = nullptr;

constexpr std::string_view local_prefix = "unix:";

// A whole number up to `max` in its only spelling: digits, no sign, no leading zero.
bool parse_number(std::string_view text, std::uint32_t max, std::uint32_t& out) {
    if (!only_digits(text) || (text.size() > 1 && text[0] == '0')) return false;
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value > max) return false;
    out = value;
    return true;
}

problem parse_port(std::string_view text, std::uint16_t& out) {
    if (text.empty()) return "the port after the colon is missing";
    std::uint32_t value = 0;
    if (!parse_number(text, std::numeric_limits<std::uint16_t>::max(), value)) {
        return "the port is not a number from 0 to 65535";
    }
    out = static_cast<std::uint16_t>(value);
    return none;
}

// The system's reader wants a text that ends with 0. `Address`: in_addr or in6_addr.
template <typename Address>
bool read_numeric(int family, std::string_view text, Address& out) {
    std::array<char, INET6_ADDRSTRLEN + 1> terminated{};
    if (text.size() >= terminated.size() || text.find('\0') != text.npos) return false;
    std::copy(text.begin(), text.end(), terminated.begin());
    return ::inet_pton(family, terminated.data(), &out) == 1;
}

// Four numbers from 0 to 255 in their only spelling; some readers take 01 for 1, others for octal.
bool is_dotted(std::string_view text) {
    for (int parts = 1; parts <= 4; ++parts) {
        const std::size_t dot = text.find('.');
        std::uint32_t unused = 0;
        if ((dot == text.npos) != (parts == 4)) return false;
        if (!parse_number(text.substr(0, dot), 255, unused)) return false;
        if (parts < 4) text.remove_prefix(dot + 1);
    }
    return true;
}

bool read_ipv6(std::string_view text, in6_addr& out) {
    const std::string_view last = text.substr(text.rfind(':') + 1);
    if (last.find('.') != last.npos && !is_dotted(last)) return false;
    return read_numeric(AF_INET6, text, out);
}

bool has_zones(const in6_addr& address) {
    const auto* const bytes = reinterpret_cast<const unsigned char*>(&address);
    const bool link_local = bytes[0] == 0xfe && (bytes[1] & 0xc0U) == 0x80;
    // Of multicast, the scopes up to the link: ffx1 and ffx2.
    const bool multicast = bytes[0] == 0xff && (bytes[1] & 0x0fU) <= 2;
    return link_local || multicast;
}

problem parse_zone(std::string_view text, std::uint32_t& out) {
    if (text.empty()) return "the zone after % is missing";
    if (only_digits(text)) {
        const bool read = parse_number(text, std::numeric_limits<std::uint32_t>::max(), out);
        return read && out != 0 ? none : "the zone after % is not the number of an interface";
    }
    std::array<char, IF_NAMESIZE> name{};
    if (text.size() >= name.size()) return "the zone after % is too long for an interface's name";
    std::copy(text.begin(), text.end(), name.begin());
    out = ::if_nametoindex(name.data());
    return out != 0 ? none : "the zone after % is no interface of this machine";
}

problem parse_bracketed(std::string_view text, endpoint& out) {
    const std::size_t close = text.find(']');
    if (close == text.npos) return "the closing bracket is missing";
    const std::string_view rest = text.substr(close + 1);
    if (rest.empty()) return "the port is missing; write it after the bracket, as in [::1]:5000";
    if (rest[0] != ':') return "after the closing bracket comes a colon and the port";
    std::uint16_t port = 0;
    if (const problem wrong = parse_port(rest.substr(1), port)) return wrong;
    return parse_ipv6_host(text.substr(1, close - 1), port, out);
}

problem parse_plain(std::string_view text, endpoint& out) {
    const std::size_t colon = text.find(':');
    if (colon == text.npos) return "the port is missing; write host:port, as in 127.0.0.1:5000";
    if (text.find(':', colon + 1) != text.npos) {
        return "there is more than one colon; IPv6 addresses are in brackets, as in [::1]:5000";
    }
    const std::string_view host = text.substr(0, colon);
    if (host.empty() || host == "*") {
        return "the host is missing; for every address of this machine write 0.0.0.0 or [::]";
    }
    std::uint16_t port = 0;
    if (const problem wrong = parse_port(text.substr(colon + 1), port)) return wrong;
    return parse_ipv4_host(host, port, out);
}

problem parse_local(std::string_view name, endpoint& out) {
    if (name.empty()) return "the path is missing";
    if (name.size() > local_name_bytes_max) return "the path is too long for a local socket";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(name.begin(), name.end(), address.sun_path);
    if (name[0] != '@') {
        store_address(out, address, local_name_offset + name.size() + 1);
        return none;
    }
#if defined(__linux__)
    if (name.size() == 1) return "the abstract name after @ is missing";
    address.sun_path[0] = '\0';
    store_address(out, address, local_name_offset + name.size());
    return none;
#else
    return "abstract names exist on Linux only; write a path";
#endif
}

problem parse_any(std::string_view text, endpoint& out) {
    if (text.empty()) return "it is empty";
    if (text.find('\0') != text.npos) return "it contains a zero byte";
    if (text.substr(0, local_prefix.size()) == local_prefix) {
        return parse_local(text.substr(local_prefix.size()), out);
    }
    return text[0] == '[' ? parse_bracketed(text, out) : parse_plain(text, out);
}

}  // namespace

problem parse_ipv4_host(std::string_view host, std::uint16_t port, endpoint& out) noexcept {
    sockaddr_in address{};
    if (!is_dotted(host) || !read_numeric(AF_INET, host, address.sin_addr)) {
        return "the host is not four numbers from 0 to 255 without leading zeros "
               "(a name has to be resolved first)";
    }
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    store_address(out, address, sizeof(address));
    return none;
}

problem parse_ipv6_host(std::string_view host, std::uint16_t port, endpoint& out) noexcept {
    const std::size_t percent = host.find('%');
    sockaddr_in6 address{};
    if (!read_ipv6(host.substr(0, percent), address.sin6_addr)) {
        return "what is in the brackets is not an IPv6 address";
    }
    if (percent != host.npos) {
        if (!has_zones(address.sin6_addr)) return "only a link-local address has a zone";
        std::uint32_t zone = 0;
        if (const problem wrong = parse_zone(host.substr(percent + 1), zone)) return wrong;
        address.sin6_scope_id = zone;
    }
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    store_address(out, address, sizeof(address));
    return none;
}

}  // namespace platform

std::error_code endpoint::parse(std::string_view text, endpoint& out, std::string* why) noexcept {
    endpoint parsed;
    const char* const wrong = platform::parse_any(text, parsed);
    if (wrong == nullptr) {
        out = parsed;
        return {};
    }
    platform::explain(
        why, "bad address ", [&] { return platform::in_quotes(text); }, ": ", wrong);
    return std::make_error_code(std::errc::invalid_argument);
}

}  // namespace ioring
