// SPDX-License-Identifier: MIT
// descriptors_windows.cpp - Windows has no limit of sockets but memory.
#include "common/descriptors.hpp"

namespace ioring::tools {

bool ensure_descriptors(std::uint64_t, std::string&) { return true; }

}  // namespace ioring::tools
