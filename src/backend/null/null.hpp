// SPDX-License-Identifier: MIT
// null.hpp - set-up of the null backend.
#pragma once

#include <memory>
#include <string>
#include <system_error>

#include "backend/backend.hpp"

namespace ioring::backends::null {

// See backend.hpp, setup_function. Errors: not_enough_memory, too_many_files_open.
[[nodiscard]] std::error_code set_up(const backend_options& options, std::unique_ptr<backend>& out,
                                     std::string& why) noexcept;

}  // namespace ioring::backends::null
