// SPDX-License-Identifier: MIT
// poll.hpp - set-up of the poll backend: the readiness kernel where there is nothing but poll(2).
#pragma once

#include <memory>
#include <string>
#include <system_error>

#include "backend/backend.hpp"

namespace ioring::backends::poll {

// See backend.hpp, setup_function. Errors: not_enough_memory, too_many_files_open.
[[nodiscard]] std::error_code set_up(const backend_options& options, std::unique_ptr<backend>& out,
                                     std::string& why) noexcept;

}  // namespace ioring::backends::poll
