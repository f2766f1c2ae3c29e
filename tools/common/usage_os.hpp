// SPDX-License-Identifier: MIT
// usage_os.hpp - in which the systems differ about what a process has used.
#pragma once

#include <cstdint>

namespace ioring::tools {

// What rusage's ru_maxrss counts in.
extern const std::uint64_t memory_peak_unit_bytes;

}  // namespace ioring::tools
