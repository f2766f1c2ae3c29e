// SPDX-License-Identifier: MIT
// kqueue.hpp - set-up of the kqueue backend: the readiness kernel on macOS and the BSDs.
#pragma once

#include <memory>
#include <string>
#include <system_error>

#include "backend/backend.hpp"

namespace ioring::backends::kqueue {

// See backend.hpp, setup_function. Errors: not_enough_memory, too_many_files_open.
[[nodiscard]] std::error_code set_up(const backend_options& options, std::unique_ptr<backend>& out,
                                     std::string& why) noexcept;

}  // namespace ioring::backends::kqueue
