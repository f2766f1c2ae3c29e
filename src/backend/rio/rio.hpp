// SPDX-License-Identifier: MIT
// rio.hpp - set-up of the rio backend: iocp, with Registered I/O for registered sockets.
//
// It ran against a double written from Microsoft's documentation; it has not run on Windows.
#pragma once

#include <memory>
#include <string>
#include <system_error>

#include "backend/backend.hpp"
#include "backend/rio/rio_system.hpp"

namespace ioring::backends::rio {

// See backend.hpp, setup_function. Errors: those of iocp, and not_supported when Windows has no
// Registered I/O, or one that does not work: then `why` says which call failed.
[[nodiscard]] std::error_code set_up(const backend_options& options, std::unique_ptr<backend>& out,
                                     std::string& why) noexcept;
// The same over a table of somebody else's.
[[nodiscard]] std::error_code set_up_over(const system& table, const backend_options& options,
                                          std::unique_ptr<backend>& out, std::string& why) noexcept;

}  // namespace ioring::backends::rio
