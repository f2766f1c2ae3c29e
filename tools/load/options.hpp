// SPDX-License-Identifier: MIT
// options.hpp - the command line of ioring-load.
#pragma once

#include <optional>

#include "settings.hpp"

namespace load {

inline constexpr const char* program_name = "ioring-load";

// Fills `out`. A value is the status to end with: after --help, or after a complaint.
[[nodiscard]] std::optional<int> read_options(int argc, const char* const* argv, settings& out);

}  // namespace load
