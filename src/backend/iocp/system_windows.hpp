// SPDX-License-Identifier: MIT
// system_windows.hpp - the real system: Winsock, its extensions, and one completion port.
#pragma once

#include <memory>
#include <string>
#include <system_error>

#include "backend/iocp/system.hpp"

namespace ioring::backends::iocp {

// Errors and `why`: as iocp::set_up().
[[nodiscard]] std::error_code open_system(std::unique_ptr<system>& out, std::string& why) noexcept;

}  // namespace ioring::backends::iocp
