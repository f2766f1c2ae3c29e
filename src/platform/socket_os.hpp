// SPDX-License-Identifier: MIT
// socket_os.hpp - the calls on sockets that POSIX systems do differently.
//
// Implemented by socket_linux.cpp and socket_darwin.cpp; everything else is in the files without a
// system's name. Results are those of the system calls: a descriptor, or -1 with errno set.
#pragma once

#include <sys/socket.h>

namespace ioring::platform {

// A socket that is closed on exec and raises no SIGPIPE where a socket can say so.
[[nodiscard]] int open_socket(int family, int type, bool nonblocking) noexcept;

// accept(), with the new socket's flags set as above and `nonblocking` whatever the listener is.
[[nodiscard]] int accept_socket(int listener, sockaddr* address, socklen_t* bytes,
                                bool nonblocking) noexcept;

}  // namespace ioring::platform
