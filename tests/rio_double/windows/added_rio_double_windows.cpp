// SPDX-License-Identifier: MIT
// added_rio_double_windows.cpp - rio_double, for a C program that this is linked to.
//
// Status 9 at its end, and a line each on standard error: what it did is undefined on Windows.
#include <cstdio>
#include <cstdlib>

#include "backend/registry.hpp"
#include "windows/backend_over_double.hpp"

namespace ioring::rio_tests {
namespace {

void look_at_violations() {
    const std::vector<std::string> found = violations_of_double();
    for (const std::string& each : found) std::fprintf(stderr, "%s\n", each.c_str());
    if (!found.empty()) std::_Exit(9);
}

std::error_code set_up(const backends::backend_options& options,
                       std::unique_ptr<backends::backend>& out, std::string& why) noexcept {
    const std::error_code error = rio_over_double().setup(options, out, why);
    // Only now is there a double, which must outlive its last inspection.
    static const bool is_at_exit = std::atexit(look_at_violations) == 0;
    return is_at_exit ? error : std::make_error_code(std::errc::not_enough_memory);
}

const struct added_rio_double {
    added_rio_double() { backends::add({"rio_double", set_up, /*automatic=*/false}); }
} added;

}  // namespace
}  // namespace ioring::rio_tests
