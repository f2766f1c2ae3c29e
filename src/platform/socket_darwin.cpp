// SPDX-License-Identifier: MIT
// socket_darwin.cpp - sockets that get their flags by calls of their own.
//
// Between the two calls a fork and exec in another thread inherits the descriptor; Darwin offers
// nothing better. accept() hands on the listener's O_NONBLOCK, so it is always set explicitly.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "platform/socket_os.hpp"

namespace ioring::platform {
namespace {

// -1 with errno set, and `socket` closed, when a flag could not be set.
int with_flags(int socket, bool nonblocking) {
    if (socket < 0) return -1;
    const int on = 1;
    // EINVAL: the peer is gone already. The socket is good for nothing but saying so.
    const bool quiet =
        ::setsockopt(socket, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof(on)) == 0 || errno == EINVAL;
    const int flags = ::fcntl(socket, F_GETFL);
    const int wanted = nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    if (quiet && flags != -1 && ::fcntl(socket, F_SETFD, FD_CLOEXEC) != -1 &&
        ::fcntl(socket, F_SETFL, wanted) != -1) {
        return socket;
    }
    const int error = errno;
    ::close(socket);
    errno = error;
    return -1;
}

}  // namespace

int open_socket(int family, int type, bool nonblocking) noexcept {
    return with_flags(::socket(family, type, 0), nonblocking);
}

int accept_socket(int listener, sockaddr* address, socklen_t* bytes, bool nonblocking) noexcept {
    return with_flags(::accept(listener, address, bytes), nonblocking);
}

}  // namespace ioring::platform
