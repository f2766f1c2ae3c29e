// SPDX-License-Identifier: MIT
// leftovers.hpp - what this process holds of the system: to be the same when nothing should be
// left.
#pragma once

#include <cstdint>
#include <string>

namespace ioring::soak {

[[nodiscard]] std::size_t descriptors_now();
// What each descriptor is, for the person who looks for the one too many.
[[nodiscard]] std::string describe_descriptors();
// Mappings that others could share: rings, mirrored buffers. The heap's are not among them.
[[nodiscard]] std::size_t shared_mappings_now();
[[nodiscard]] std::size_t resident_kib_now();
// Allocations that were not deleted; 0 where a sanitizer counts in its own way.
[[nodiscard]] std::uint64_t allocations_now();

}  // namespace ioring::soak
