// SPDX-License-Identifier: MIT
// listener_windows.cpp - the options, the binding and the listening of Winsock's sockets.
#include "platform/listener_os.hpp"
#include "platform/sockaddr.hpp"

namespace ioring::platform {
namespace {

int set_flag(native_socket socket, int level, int option, bool on) {
    const DWORD value = on ? 1 : 0;
    const int status = ::setsockopt(system_socket(socket), level, option,
                                    reinterpret_cast<const char*>(&value), sizeof(value));
    return status == 0 ? 0 : winsock_errno();
}

}  // namespace

bool may_share_port(address_family) noexcept { return false; }

// Never SO_REUSEADDR, by which another program can take a port that is in use. Windows lets a
// restarted program have its port without it.
int set_sharing(native_socket socket, address_family family,
                const listen_options& options) noexcept {
    if (family == address_family::ipv6) {
        const bool only = !options.dual_stack;
        if (const int error = set_flag(socket, IPPROTO_IPV6, IPV6_V6ONLY, only)) return error;
    }
    return set_flag(socket, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, true);
}

int bind_listener(native_socket socket, const endpoint& address, const listen_options&) noexcept {
    const int status = ::bind(system_socket(socket), as_sockaddr(address), as_socklen(address));
    return status == 0 ? 0 : winsock_errno();
}

int start_listening(native_socket socket, int backlog) noexcept {
    return ::listen(system_socket(socket), backlog) == 0 ? 0 : winsock_errno();
}

void discard_bound(const endpoint&) noexcept {}

}  // namespace ioring::platform
