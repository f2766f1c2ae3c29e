// SPDX-License-Identifier: MIT
// resolve.cpp - from a host's name to endpoints, by the system's own resolver.
#include "platform/resolve.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "platform/sockaddr.hpp"
#include "platform/text.hpp"

namespace ioring {
namespace platform {
namespace {

// What DNS allows for a whole name in text.
constexpr std::size_t host_bytes_max = 253;

class category : public std::error_category {
public:
    const char* name() const noexcept override { return "ioring.resolve"; }

    std::string message(int code) const override {
        switch (static_cast<resolve_errc>(code)) {
            case resolve_errc::host_not_found: return "host not found";
            case resolve_errc::try_again: return "no name server answered in time";
            case resolve_errc::server_failure: return "the name server failed";
            case resolve_errc::no_address_of_family:
                return "the host has no address of this family";
            case resolve_errc::failed: return "name resolution failed";
        }
        return "unknown error of name resolution";
    }

    std::error_condition default_error_condition(int code) const noexcept override {
        switch (static_cast<resolve_errc>(code)) {
            case resolve_errc::try_again: return std::errc::resource_unavailable_try_again;
            case resolve_errc::no_address_of_family: return std::errc::address_family_not_supported;
            case resolve_errc::host_not_found:
            case resolve_errc::server_failure:
            case resolve_errc::failed: break;
        }
        return {code, *this};
    }
};

// Old resolvers read "127.1", "0x7f.1" and "2130706433" as addresses. Nobody means that today: a
// name whose last label begins like a number is an address, and has to be written as one.
bool ends_like_ipv4(std::string_view host) {
    if (host.back() == '.') host.remove_suffix(1);
    const std::string_view label = host.substr(host.rfind('.') + 1);  // npos + 1 is 0.
    return only_digits(label) || label.substr(0, 2) == "0x" || label.substr(0, 2) == "0X";
}

const char* check_name(std::string_view host) {
    if (host.size() > host_bytes_max) return "it is longer than 253 bytes";
    const auto allowed = [](char c) {
        return is_digit(c) || is_letter(c) || c == '-' || c == '.' || c == '_';
    };
    if (!std::all_of(host.begin(), host.end(), allowed)) {
        return "a name has letters, digits, '-', '_' and '.' only (others in their xn-- form), "
               "and an address is written without a port";
    }
    if (host[0] == '.') return "it begins with a dot";
    if (host.find("..") != host.npos) return "it has an empty label";
    if (ends_like_ipv4(host)) return "it is not four numbers from 0 to 255 without leading zeros";
    return nullptr;
}

// nullptr: `out` is the address. Otherwise what is wrong, `is_name` when it may be a name instead.
const char* parse_host(std::string_view host, std::uint16_t port, endpoint& out, bool& is_name) {
    is_name = false;
    if (host.empty()) return "it is empty";
    const bool bracketed = host.size() > 1 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (bracketed || host.find(':') != host.npos) {
        return parse_ipv6_host(host, port, out) == nullptr ? nullptr : "it is not an IPv6 address";
    }
    if (parse_ipv4_host(host, port, out) == nullptr) return nullptr;
    const char* const wrong = check_name(host);
    is_name = wrong == nullptr;
    return is_name ? "it is a name" : wrong;
}

// Whether errno says more. Windows has no such status.
bool is_system_error([[maybe_unused]] int status) {
#if defined(EAI_SYSTEM)
    return status == EAI_SYSTEM;
#else
    return false;
#endif
}

struct result_deleter {
    void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};
using result_list = std::unique_ptr<addrinfo, result_deleter>;

std::error_code look_up(std::string_view host, result_list& out, std::string* why) noexcept {
    std::array<char, host_bytes_max + 1> name{};
    std::copy(host.begin(), host.end(), name.begin());
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    const int status = ::getaddrinfo(name.data(), nullptr, &hints, &list);
    const int error = errno;
    if (status == 0) {
        out.reset(list);
        return {};
    }
    const std::error_code code = resolver_code(status, error);
    explain(
        why, "cannot resolve ", [&] { return in_quotes(host); }, ": ", ::gai_strerror(status),
        [&] { return is_system_error(status) ? " (" + error_name(error) + ')' : std::string{}; },
        "; check the spelling and this machine's name servers, or give a numeric address");
    return code;
}

// The system's list with `port`, in its order. Families that we have no sockets for are left out.
void append_results(const addrinfo* list, std::uint16_t port, std::vector<endpoint>& out) {
    for (; list != nullptr; list = list->ai_next) {
        endpoint address;
        if (list->ai_family == AF_INET && list->ai_addrlen == sizeof(sockaddr_in)) {
            sockaddr_in in{};
            std::memcpy(&in, list->ai_addr, sizeof(in));
            in.sin_port = htons(port);
            store_address(address, in, sizeof(in));
        } else if (list->ai_family == AF_INET6 && list->ai_addrlen == sizeof(sockaddr_in6)) {
            sockaddr_in6 in{};
            std::memcpy(&in, list->ai_addr, sizeof(in));
            in.sin6_port = htons(port);
            store_address(address, in, sizeof(in));
        } else {
            continue;
        }
        if (std::find(out.begin(), out.end(), address) == out.end()) out.push_back(address);
    }
}

}  // namespace

std::error_code resolver_code(int status, int error) noexcept {
    switch (status) {
        case 0: return {};
        case EAI_NONAME:
#if defined(EAI_NODATA) && EAI_NODATA != EAI_NONAME
        case EAI_NODATA:
#endif
            return resolve_errc::host_not_found;
        case EAI_AGAIN: return resolve_errc::try_again;
        case EAI_FAIL: return resolve_errc::server_failure;
        case EAI_FAMILY:
#if defined(EAI_ADDRFAMILY) && EAI_ADDRFAMILY != EAI_FAMILY
        case EAI_ADDRFAMILY:
#endif
            return resolve_errc::no_address_of_family;
        case EAI_MEMORY: return errno_code(ENOMEM);
        default: break;
    }
    if (is_system_error(status) && error != 0) return errno_code(error);
    return resolve_errc::failed;
}

}  // namespace platform

const std::error_category& resolve_category() noexcept {
    static const platform::category instance;
    return instance;
}

std::error_code resolve(std::string_view host, std::uint16_t port, std::vector<endpoint>& out,
                        std::string* why) noexcept {
    endpoint numeric;
    bool is_name = false;
    const char* const wrong = platform::parse_host(host, port, numeric, is_name);
    if (wrong != nullptr && !is_name) {
        platform::explain(
            why, "bad host ", [&] { return platform::in_quotes(host); }, ": ", wrong);
        return std::make_error_code(std::errc::invalid_argument);
    }
    platform::result_list list;
    if (is_name) {
        if (const std::error_code error = platform::look_up(host, list, why)) return error;
    }
    std::vector<endpoint> found;
    const bool made = platform::with_memory([&] {
        if (is_name) {
            platform::append_results(list.get(), port, found);
        } else {
            found.push_back(numeric);
        }
    });
    if (!made) {
        platform::explain(why, "there is not enough memory for the addresses of a host");
        return std::make_error_code(std::errc::not_enough_memory);
    }
    if (found.empty()) {
        platform::explain(
            why, "cannot resolve ", [&] { return platform::in_quotes(host); },
            ": it has neither an IPv4 nor an IPv6 address");
        return resolve_errc::no_address_of_family;
    }
    out = std::move(found);
    return {};
}

}  // namespace ioring
