// SPDX-License-Identifier: MIT
// mirror_views_posix.hpp - mapping a memory object's descriptor so that each buffer shows twice.
#pragma once

#include <string>
#include <system_error>

#include "platform/mirror_map_os.hpp"

namespace ioring::platform {

// Maps the buffers of the object `descriptor` over the reserved range at `data`: request.count + 1
// mappings, not inherited by a forked child. 0 or an errno value; the range then stays reserved.
[[nodiscard]] int map_views(int descriptor, const mirror_request& request,
                            std::byte* data) noexcept;

// The sentence for a failed step ("reserve addresses", "map the views"), and its code.
std::error_code mirror_error(int error, const char* step, const mirror_request& request,
                             std::string* why) noexcept;

}  // namespace ioring::platform
