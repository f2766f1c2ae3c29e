// SPDX-License-Identifier: MIT
// fault.hpp - set-up of the fault backend.
#pragma once

#include <memory>
#include <string>
#include <system_error>

#include "backend/wrapping/wrapper.hpp"

namespace ioring::backends::fault {

// See wrapper.hpp, wrap_function. The argument is SEED or SEED@LEVEL: a number of 64 bits, and how
// much goes wrong (kinds.hpp). Errors: invalid_argument, not_enough_memory.
[[nodiscard]] std::error_code set_up(wrapper_request&& request, std::unique_ptr<backend>& out,
                                     std::string& why) noexcept;

}  // namespace ioring::backends::fault
