// SPDX-License-Identifier: MIT
// wake_handle_bsd.cpp - a wake handle is a pipe. Not compiled here.
#include "platform/wake_handle.hpp"

namespace ioring::platform {

std::error_code wake_handle::create(wake_handle& out) noexcept { return create_pipe(out); }

}  // namespace ioring::platform
