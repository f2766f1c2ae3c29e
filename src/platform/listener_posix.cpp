// SPDX-License-Identifier: MIT
// listener_posix.cpp - the options, the binding and the listening of POSIX sockets.
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "platform/listener_os.hpp"
#include "platform/local_bind.hpp"
#include "platform/sockaddr.hpp"

namespace ioring::platform {
namespace {

int set_flag(native_socket socket, int level, int option, bool on) {
    const int value = on ? 1 : 0;
    return ::setsockopt(socket, level, option, &value, sizeof(value)) == 0 ? 0 : errno;
}

}  // namespace

bool may_share_port(address_family family) noexcept { return family != address_family::local; }

int set_sharing(native_socket socket, address_family family,
                const listen_options& options) noexcept {
    if (family == address_family::ipv6) {
        const bool only = !options.dual_stack;
        if (const int error = set_flag(socket, IPPROTO_IPV6, IPV6_V6ONLY, only)) return error;
    }
    if (family != address_family::local) {
        const bool reuse = options.reuse_address;
        if (const int error = set_flag(socket, SOL_SOCKET, SO_REUSEADDR, reuse)) return error;
    }
    return options.reuse_port ? set_flag(socket, SOL_SOCKET, SO_REUSEPORT, true) : 0;
}

int bind_listener(native_socket socket, const endpoint& address,
                  const listen_options& options) noexcept {
    if (address.family() == address_family::local) {
        return bind_local(socket, address, options.unlink_existing);
    }
    return ::bind(socket, as_sockaddr(address), as_socklen(address)) == 0 ? 0 : errno;
}

int start_listening(native_socket socket, int backlog) noexcept {
    return ::listen(socket, backlog) == 0 ? 0 : errno;
}

void discard_bound(const endpoint& address) noexcept { unlink_local(address); }

}  // namespace ioring::platform
