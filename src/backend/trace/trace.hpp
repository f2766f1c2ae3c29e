// SPDX-License-Identifier: MIT
// trace.hpp - set-up of the recording backend and of the one that plays a recording.
#pragma once

#include <memory>
#include <string>
#include <system_error>

#include "backend/wrapping/wrapper.hpp"

namespace ioring::backends::trace {

// See wrapper.hpp, wrap_function. The argument is FILE, or FILE@BYTES for how much of each transfer
// is recorded. Errors: what opening the file gives, device_or_resource_busy when another ring
// records to it, not_enough_memory.
[[nodiscard]] std::error_code set_up(wrapper_request&& request, std::unique_ptr<backend>& out,
                                     std::string& why) noexcept;

// The argument is FILE. Errors: what opening the file gives, and those of ioring::trace::reader.
[[nodiscard]] std::error_code set_up_replay(wrapper_request&& request,
                                            std::unique_ptr<backend>& out,
                                            std::string& why) noexcept;

}  // namespace ioring::backends::trace
