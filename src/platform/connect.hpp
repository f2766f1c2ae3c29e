// SPDX-License-Identifier: MIT
// connect.hpp - a part of connecting that is tested by itself.
#pragma once

#include "platform/socket.hpp"

namespace ioring::platform {

// Whether a TCP socket is its own peer. That happens when a program connects to a free port of its
// own machine and the system happens to choose that very port as the local one, and must not pass
// for a server.
[[nodiscard]] bool is_connected_to_itself(native_socket socket) noexcept;

}  // namespace ioring::platform
