// SPDX-License-Identifier: MIT
// listener_os.hpp - the steps of making a listener that systems do differently.
//
// Results are 0 or an errno value.
#pragma once

#include "ioring/endpoint.hpp"
#include "platform/socket.hpp"

namespace ioring::platform {

// Whether listen_options::reuse_port means something for sockets of `family`.
[[nodiscard]] bool may_share_port(address_family family) noexcept;
// Who else may have the address, before it is bound: dual_stack, reuse_address and reuse_port.
[[nodiscard]] int set_sharing(native_socket socket, address_family family,
                              const listen_options& options) noexcept;
[[nodiscard]] int bind_listener(native_socket socket, const endpoint& address,
                                const listen_options& options) noexcept;
[[nodiscard]] int start_listening(native_socket socket, int backlog) noexcept;
// What bind_listener() leaves beside the socket: a local socket's file. Removes it.
void discard_bound(const endpoint& address) noexcept;

}  // namespace ioring::platform
