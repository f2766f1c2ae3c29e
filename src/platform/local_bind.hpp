// SPDX-License-Identifier: MIT
// local_bind.hpp - binding a socket to a path, over the file of a program that died if need be.
#pragma once

#include "ioring/endpoint.hpp"
#include "platform/descriptor_guard.hpp"
#include "platform/socket.hpp"

namespace ioring::platform {

// Binds `socket` to `address`, a local one. With `unlink_stale` a socket file on which nobody
// listens is removed first, under a lock on its folder: two starters at once do not remove each
// other's file, because a socket looks stale between its bind() and its listen(). So keep `lock`
// until listen() has returned.
//
// Returns 0 or an errno value: EADDRINUSE when the file is in use or is no socket, EBUSY when the
// lock was not free within a second, and what else bind() says.
[[nodiscard]] int bind_local(native_socket socket, const endpoint& address, bool unlink_stale,
                             descriptor_guard& lock) noexcept;

// Removes the file of a local path, if `address` is one. For a bind() of ours that came to nothing.
void unlink_local(const endpoint& address) noexcept;

}  // namespace ioring::platform
