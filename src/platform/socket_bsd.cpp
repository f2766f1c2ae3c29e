// SPDX-License-Identifier: MIT
// socket_bsd.cpp - sockets that have their flags from birth, as on Linux. Not compiled here.
#include <sys/socket.h>

#include "platform/socket_os.hpp"

namespace ioring::platform {
namespace {

int creation_flags(bool nonblocking) { return SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0); }

}  // namespace

int open_socket(int family, int type, bool nonblocking) noexcept {
    return ::socket(family, type | creation_flags(nonblocking), 0);
}

// Unlike accept(), it does not hand on the listener's O_NONBLOCK.
int accept_socket(int listener, sockaddr* address, socklen_t* bytes, bool nonblocking) noexcept {
    return ::accept4(listener, address, bytes, creation_flags(nonblocking));
}

}  // namespace ioring::platform
