// SPDX-License-Identifier: MIT
// tags.hpp - what the server's user_data say: the operation, the slot and its generation.
#pragma once

#include <cstdint>

#include "ioring/user_data.hpp"

namespace echo {

enum class op : std::uint8_t { accept, recv, send, cancel };

[[nodiscard]] constexpr std::uint64_t tag(op what, std::uint32_t slot = 0,
                                          std::uint32_t generation = 0) noexcept {
    return ioring::user_data{what, slot, generation};
}

}  // namespace echo
