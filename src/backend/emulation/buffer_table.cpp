// SPDX-License-Identifier: MIT
// buffer_table.cpp - pinning, unpinning and looking up.
#include "backend/emulation/buffer_table.hpp"

#include <cerrno>

namespace ioring::backends::emulation {

int buffer_table::pin(const kernel_buffer& buffer, std::uint32_t slot) noexcept {
    if (slot >= slots_max) return -EINVAL;
    if (buffer.data == nullptr || buffer.bytes == 0 || buffer.bytes > bytes_max) return -EFAULT;
    if (!buffers_.grow_to(slot + std::size_t{1})) return -ENOMEM;
    buffers_[slot] = buffer;
    return 0;
}

int buffer_table::unpin(std::uint32_t slot) noexcept {
    if (slot >= slots_max) return -EINVAL;
    if (slot < buffers_.size()) buffers_[slot] = {};
    return 0;
}

bool buffer_table::holds(std::uint32_t slot, std::uint64_t address,
                         std::uint32_t bytes) const noexcept {
    if (slot >= buffers_.size() || buffers_[slot].data == nullptr) return false;
    const kernel_buffer& buffer = buffers_[slot];
    const auto begin = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(buffer.data));
    if (address < begin) return false;
    const std::uint64_t offset = address - begin;
    return offset <= buffer.bytes && bytes <= buffer.bytes - offset;
}

}  // namespace ioring::backends::emulation
