// SPDX-License-Identifier: MIT
// sqe_inputs.hpp - inputs for the sqe_machine that get further than random bytes do.
#pragma once

#include <cstdint>
#include <vector>

namespace ioring::fuzz {

// Some dozens of entries that are nearly right, with turns between them; the same for a seed.
// Random bytes alone are refused at the first field that is looked at.
[[nodiscard]] std::vector<std::uint8_t> nearly_right_input(std::uint64_t seed);

}  // namespace ioring::fuzz
