// SPDX-License-Identifier: MIT
// wake_handle_linux.cpp - a wake handle is an eventfd.
#include <sys/eventfd.h>

#include <cerrno>

#include "platform/text.hpp"
#include "platform/wake_handle.hpp"

namespace ioring::platform {

std::error_code wake_handle::create(wake_handle& out) noexcept {
    const int descriptor = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (descriptor < 0) return errno_code(errno);
    out = wake_handle{descriptor, descriptor};
    return {};
}

}  // namespace ioring::platform
