// SPDX-License-Identifier: MIT
// serve.hpp - the whole life of the server, from its limits to its report.
#pragma once

#include "echo/settings.hpp"

namespace echo {

// Serves as `wanted` says until a signal or the end of its duration. Returns the status to exit
// with; what went wrong has been said in a sentence on the standard error.
[[nodiscard]] int serve(const settings& wanted);

}  // namespace echo
