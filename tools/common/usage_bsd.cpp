// SPDX-License-Identifier: MIT
// usage_bsd.cpp - the BSDs count in KiB. Not compiled here.
#include "common/usage_os.hpp"

namespace ioring::tools {

const std::uint64_t memory_peak_unit_bytes = 1024;

}  // namespace ioring::tools
