// SPDX-License-Identifier: MIT
// backend_over_double.hpp - the rio backend on real sockets and the double, for whole programs.
//
// One double for the whole program.
#pragma once

#include <string>
#include <vector>

#include "backend/backend.hpp"

namespace ioring::rio_tests {

// "rio_double", chosen by name only.
[[nodiscard]] backends::backend_entry rio_over_double() noexcept;
// What programs have done so far that is undefined on Windows. Must be empty.
[[nodiscard]] std::vector<std::string> violations_of_double();

}  // namespace ioring::rio_tests
