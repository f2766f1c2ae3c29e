// SPDX-License-Identifier: MIT
// groups.hpp - the provided buffers of a ring as the program gave them: where the bytes of a buffer
// id lie.
//
// The kernel changes a ring's records while it consumes them, and the program writes over those
// that are used up. So they are copied when they appear, and how much of each has been filled is
// counted here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>

#include "backend/backend.hpp"
#include "ioring/sqe.hpp"

namespace ioring::backends::trace {

class group_table {
public:
    void add(const buffer_ring& ring);
    void remove(std::uint16_t group) noexcept { groups_.erase(group); }
    // Takes note of what the program has provided since. Call it before the backend may use it.
    void look();
    // The bytes of `done`, which names a buffer of `group`; takes note that they are used. Empty
    // when the buffer is not known.
    [[nodiscard]] std::span<std::byte> take(std::uint16_t group, const cqe& done);

private:
    struct buffer {
        std::uint64_t address = 0;
        std::uint32_t bytes = 0;
        std::uint32_t used_bytes = 0;
    };
    struct group_state {
        buffer_ring ring{};
        std::uint16_t seen_tail = 0;
        std::unordered_map<std::uint16_t, buffer> buffers;
    };

    static void look(group_state& group);

    std::unordered_map<std::uint16_t, group_state> groups_;
};

}  // namespace ioring::backends::trace
