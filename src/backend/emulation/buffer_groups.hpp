// SPDX-License-Identifier: MIT
// buffer_groups.hpp - provided buffers: the kernel's end of the rings that programs fill.
//
// The program adds records at a ring's tail, which it publishes; the kernel takes them from a head
// of its own. What is select()ed stays there until commit(), so that a receive that would block
// leaves it for another.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "backend/backend.hpp"

namespace ioring::backends::emulation {

struct selected_buffer {
    std::byte* data = nullptr;
    std::uint32_t bytes = 0;
    bool incremental = false;  // Others may have what is left of it.
};

class buffer_groups {
public:
    // As register_op::add_buffer_ring and remove_buffer_ring; also -ENOMEM, -EINVAL, -ENOENT.
    int add(const buffer_ring& ring) noexcept;
    int remove(std::uint32_t group) noexcept;

    // The next buffer of `group`, cut to `bytes_max` unless that is 0. False: the group is empty,
    // or there is none.
    [[nodiscard]] bool select(std::uint16_t group, std::uint32_t bytes_max,
                              selected_buffer& out) const noexcept;
    // Uses `bytes` of the buffer that select() has just given. Returns the flags of its CQE.
    std::uint32_t commit(std::uint16_t group, std::uint32_t bytes) noexcept;

private:
    // The kernel's record. The last two bytes of a ring's first one are the tail.
    struct record {
        std::uint64_t address;
        std::uint32_t bytes;
        std::uint16_t id;
        std::uint16_t tail;
    };
    static_assert(sizeof(record) == 16);

    struct group_state {
        record* records = nullptr;  // nullptr: no such group.
        std::uint16_t mask = 0;
        std::uint16_t head = 0;
        bool incremental = false;
    };
    static constexpr std::size_t page_groups = 256;
    using page = std::array<group_state, page_groups>;

    [[nodiscard]] group_state* find(std::uint32_t group) const noexcept;

    std::array<std::unique_ptr<page>, 65'536 / page_groups> pages_;
};

}  // namespace ioring::backends::emulation
