// SPDX-License-Identifier: MIT
// local_bind.hpp - binding a socket to a path, over the file of a program that died if need be.
#pragma once

#include "ioring/endpoint.hpp"
#include "platform/socket.hpp"

namespace ioring::platform {

// Binds `socket` to `address`, a local one. With `unlink_stale` a socket file that no socket is
// bound to any more is removed first. Finding out neither connects to a live listener nor takes a
// socket that is bound and does not listen yet for a dead one; and it is done under a lock on the
// folder (flock), so that two starters at once do not remove each other's new file.
//
// Returns 0 or an errno value: EADDRINUSE when the file is in use or is no socket, EBUSY when the
// lock was not free within a second, and what else bind() says.
[[nodiscard]] int bind_local(native_socket socket, const endpoint& address,
                             bool unlink_stale) noexcept;

// Removes the file of a local path, if `address` is one. For a bind() of ours that came to nothing.
void unlink_local(const endpoint& address) noexcept;

}  // namespace ioring::platform
