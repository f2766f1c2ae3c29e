// SPDX-License-Identifier: MIT
// condition.hpp - what a BSD kernel would say of a descriptor that epoll calls ready.
#pragma once

#include <sys/event.h>

#include <cstdint>

namespace ioring::kqueue_shim {

[[nodiscard]] bool is_listener(int fd);

// Adds to `event`, whose filter is EVFILT_READ, EVFILT_WRITE or EVFILT_EXCEPT, what `fd` is ready
// for: data, fflags, EV_EOF. False when a BSD kernel would not call it ready at all.
// `was_listener`: when the knote was added.
[[nodiscard]] bool describe(int fd, bool was_listener, std::uint32_t epoll_events,
                            struct kevent& event);

}  // namespace ioring::kqueue_shim
