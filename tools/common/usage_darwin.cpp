// SPDX-License-Identifier: MIT
// usage_darwin.cpp - macOS counts in bytes.
#include "common/usage_os.hpp"

namespace ioring::tools {

const std::uint64_t memory_peak_unit_bytes = 1;

}  // namespace ioring::tools
