// SPDX-License-Identifier: MIT
// placeholder_posix.cpp - a socket that stands for another, on POSIX systems.
#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

#include "backend/trace/messages.hpp"

namespace ioring::backends::trace {

int open_placeholder() noexcept {
    int made = ::socket(AF_INET, SOCK_STREAM, 0);
    if (made < 0) made = ::socket(AF_UNIX, SOCK_STREAM, 0);
    if (made < 0) return -errno;
    (void)::fcntl(made, F_SETFD, FD_CLOEXEC);
    return made;
}

}  // namespace ioring::backends::trace
