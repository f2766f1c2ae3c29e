// SPDX-License-Identifier: MIT
// mirrored_slab.hpp - 64 KiB rings that are mapped twice in a row, many from one memory object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace peer {

inline constexpr std::uint32_t ring_bytes = 64 * 1024;

// Grows by slabs of 256 rings and keeps them until the process ends.
class mirrored_slabs {
public:
    // Ring `index`: `ring_bytes` bytes that appear again right behind themselves.
    std::byte* ring(std::size_t index);

private:
    std::vector<std::byte*> slabs_;
};

}  // namespace peer
