// SPDX-License-Identifier: MIT
// environment.hpp - what the process's environment says, where it may be believed.
#pragma once

#include <string>

namespace ioring::platform {

// The value of the environment variable `name`; empty when it is not set, and in a process that has
// more rights than whoever started it (set-user-ID, set-group-ID, file capabilities). No other
// thread may change the environment meanwhile.
[[nodiscard]] std::string environment(const char* name);

}  // namespace ioring::platform
