// SPDX-License-Identifier: MIT
// ids.hpp - what a ring calls its registered buffers and sockets.
#pragma once

#include <cstdint>

namespace ioring {

// A buffer registered with a ring: 24 bits of slot, 8 bits of the slot's generation, so that the id
// of a buffer that has been unregistered is refused and not taken for its successor.
enum class buffer_id : std::uint32_t {
    invalid = 0xffff'ffff,  // No buffer.
};

// A ring's limit, by the width of the slot in buffer_id.
inline constexpr std::uint32_t registered_buffers_max = (1U << 24U) - 1;

// A socket registered with a ring. Slots are recycled, generations (32 bits) are not: an id kept
// too long reaches nobody else.
struct connection_id {
    std::uint32_t slot = 0;        // A place of the ring's table.
    std::uint32_t generation = 0;  // 0 is never given out.

    // It was given out once; it may be stale.
    [[nodiscard]] constexpr bool valid() const noexcept { return generation != 0; }
    // The same registration.
    friend constexpr bool operator==(connection_id, connection_id) noexcept = default;
};

}  // namespace ioring
