// SPDX-License-Identifier: MIT
// error_text.hpp - what went wrong, in words, on Windows too.
#pragma once

#include <string>
#include <system_error>

namespace ioring::tools {

// As error.message(), which for the errors of sockets is "Unknown error" in MinGW's programs.
[[nodiscard]] std::string error_text(const std::error_code& error);

}  // namespace ioring::tools
