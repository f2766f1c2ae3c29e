// SPDX-License-Identifier: MIT
// mirrored_memory.hpp - what a ring_buffer of its own owns, and which sizes are buffers at all.
#pragma once

#include <cstddef>
#include <string>
#include <system_error>

#include "platform/mirror_map.hpp"

namespace ioring::detail {

struct mirrored_memory {
    platform::mirror_map map;
};

// Whether a ring_buffer can have `bytes`. Error: invalid_argument; `why` names the size, its
// granularity and its limit.
[[nodiscard]] std::error_code check_capacity(std::size_t bytes, bool huge_pages,
                                             std::string* why) noexcept;

}  // namespace ioring::detail
