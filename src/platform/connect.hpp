// SPDX-License-Identifier: MIT
// connect.hpp - the parts of connecting: what each system does, and what is tested by itself.
#pragma once

#include <cstdint>
#include <system_error>

#include "platform/socket.hpp"

namespace ioring::platform {

// Whether a TCP socket is its own peer. That happens when a program connects to a free port of its
// own machine and the system happens to choose that very port as the local one, and must not pass
// for a server.
[[nodiscard]] bool is_connected_to_itself(native_socket socket) noexcept;

// As connect_blocking(), until `deadline` and without a sentence.
[[nodiscard]] std::error_code connect_once(const endpoint& peer, std::uint64_t deadline,
                                           native_socket& out) noexcept;

}  // namespace ioring::platform
