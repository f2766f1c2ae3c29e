// SPDX-License-Identifier: MIT
// settings.hpp - what the doctor is asked: the command line's result.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "doctor/fit.hpp"

namespace doctor {

inline constexpr const char* program = "ioring-doctor";

struct settings {
    std::optional<std::uint64_t> connections;
    manner how;
    std::string backend = "automatic";
    bool json = false;
};

// Reads the command line into `out`. A value is the status to exit with, after a complaint or
// --help.
[[nodiscard]] std::optional<int> read_settings(int argc, const char* const* argv, settings& out);

}  // namespace doctor
