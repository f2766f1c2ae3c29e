// SPDX-License-Identifier: MIT
// iocp.hpp - set-up of the iocp backend: overlapped Winsock and one completion port.
#pragma once

#include <memory>
#include <string>
#include <system_error>

#include "backend/backend.hpp"

namespace ioring::backends::iocp {

// See backend.hpp, setup_function. Errors: not_enough_memory, too_many_files_open,
// not_supported (no Winsock, or one without AcceptEx and its kin).
[[nodiscard]] std::error_code set_up(const backend_options& options, std::unique_ptr<backend>& out,
                                     std::string& why) noexcept;

}  // namespace ioring::backends::iocp
