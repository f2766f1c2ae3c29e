// SPDX-License-Identifier: MIT
// winsock_world_windows.hpp - worlds of real sockets: RIO is a double's there, or the system's own.
#pragma once

#include <memory>
#include <string>

#include "world.hpp"

namespace ioring::rio_tests {

[[nodiscard]] std::unique_ptr<world> make_winsock_world();
// Nothing, and the reason in `why`, where the system has no Registered I/O: so Wine.
[[nodiscard]] std::unique_ptr<world> make_real_world(std::string& why);

}  // namespace ioring::rio_tests
