// SPDX-License-Identifier: MIT
// chunk_queue.cpp - the part of the queue that is not worth inlining.
#include "echo/chunk_queue.hpp"

#include <cassert>
#include <cstring>

namespace echo {
namespace {

constexpr std::size_t chunks_initial = 8;

}  // namespace

chunk_queue::gathered chunk_queue::gather(std::span<::iovec> out) const noexcept {
    gathered total;
    const std::byte* end = nullptr;
    std::uint32_t skip = front_sent_;
    for (std::uint32_t index = 0; index < count_; ++index) {
        const chunk& next = at(index);
        if (next.owned && index != 0) break;
        std::byte* const data = next.data + skip;
        const std::uint32_t bytes = next.bytes - skip;
        skip = 0;
        if (data == end) {
            out[total.pieces - 1].iov_len += bytes;
        } else {
            if (total.pieces == out.size()) break;
            out[total.pieces++] = {data, bytes};
        }
        end = data + bytes;
        total.bytes += bytes;
        if (next.owned) break;
    }
    return total;
}

std::uint32_t chunk_queue::bytes_from(std::uint32_t first) const noexcept {
    std::uint64_t before = 0;
    for (std::uint32_t index = 0; index < first; ++index) before += at(index).bytes;
    if (first != 0) before -= front_sent_;
    return static_cast<std::uint32_t>(bytes_ - before);
}

void chunk_queue::copy_from(std::uint32_t first, std::byte* memory) const noexcept {
    for (std::uint32_t index = first; index < count_; ++index) {
        const std::uint32_t skip = index == 0 ? front_sent_ : 0;
        std::memcpy(memory, at(index).data + skip, at(index).bytes - skip);
        memory += at(index).bytes - skip;
    }
}

void chunk_queue::append(const chunk& added) {
    if (count_ == ring_.size()) grow();
    ring_[(first_ + count_) & (ring_.size() - 1)] = added;
    ++count_;
    bytes_ += added.bytes;
    if (added.owned) ++owned_;
}

chunk chunk_queue::pop() noexcept {
    assert(count_ != 0);
    const chunk front = at(0);
    first_ = (first_ + 1) & (ring_.size() - 1);
    --count_;
    front_sent_ = 0;
    if (front.owned) --owned_;
    return front;
}

void chunk_queue::grow() {
    std::vector<chunk> larger(ring_.empty() ? chunks_initial : ring_.size() * 2);
    for (std::uint32_t index = 0; index < count_; ++index) larger[index] = at(index);
    ring_ = std::move(larger);
    first_ = 0;
}

}  // namespace echo
