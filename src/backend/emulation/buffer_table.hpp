// SPDX-License-Identifier: MIT
// buffer_table.hpp - the ranges of memory that a program has had pinned, by slot.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/backend.hpp"
#include "backend/emulation/growing_array.hpp"

namespace ioring::backends::emulation {

// Nothing is pinned in truth: user-space kernels need no right to write to the program's memory.
// Slots and limits are io_uring's.
class buffer_table {
public:
    static constexpr std::uint32_t slots_max = 16'384;
    static constexpr std::size_t bytes_max = std::size_t{1} << 30U;

    // As register_op::pin_buffer: 0, -EINVAL, -EFAULT, -ENOMEM.
    int pin(const kernel_buffer& buffer, std::uint32_t slot) noexcept;
    // As register_op::unpin_buffer: 0, -EINVAL.
    int unpin(std::uint32_t slot) noexcept;
    // Whether [address, address + bytes) lies within the memory of `slot`.
    [[nodiscard]] bool holds(std::uint32_t slot, std::uint64_t address,
                             std::uint32_t bytes) const noexcept;

private:
    growing_array<kernel_buffer> buffers_;
};

}  // namespace ioring::backends::emulation
