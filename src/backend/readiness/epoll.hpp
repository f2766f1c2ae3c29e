// SPDX-License-Identifier: MIT
// epoll.hpp - set-up of the epoll backend: the readiness kernel on Linux where io_uring is refused.
#pragma once

#include <memory>
#include <string>
#include <system_error>

#include "backend/backend.hpp"

namespace ioring::backends::epoll {

// See backend.hpp, setup_function. Errors: not_enough_memory, too_many_files_open.
[[nodiscard]] std::error_code set_up(const backend_options& options, std::unique_ptr<backend>& out,
                                     std::string& why) noexcept;

}  // namespace ioring::backends::epoll
