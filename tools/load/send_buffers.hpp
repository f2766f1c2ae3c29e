// SPDX-License-Identifier: MIT
// send_buffers.hpp - memory for sends in flight, the one used last first.
//
// A send mostly ends in the turn it began, so that few buffers serve thousands of connections and
// stay in the cache; one buffer a connection would not. Grows to as many as were ever in flight at
// once, and then allocates nothing.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace load {

class send_buffers {
public:
    explicit send_buffers(std::size_t buffer_bytes) : buffer_bytes_{buffer_bytes} {}

    [[nodiscard]] std::size_t buffer_bytes() const noexcept { return buffer_bytes_; }

    // Throws std::bad_alloc.
    [[nodiscard]] std::byte* acquire() {
        if (free_.empty()) grow();
        std::byte* const buffer = free_.back();
        free_.pop_back();
        return buffer;
    }
    void release(std::byte* buffer) noexcept { free_.push_back(buffer); }

private:
    static constexpr std::size_t slab_buffers = 16;

    void grow() {
        // Not zeroed: pages are touched when they are used.
        slabs_.emplace_back(new std::byte[slab_buffers * buffer_bytes_]);
        // So that release() never allocates.
        free_.reserve(slabs_.size() * slab_buffers);
        for (std::size_t i = slab_buffers; i-- > 0;) {
            free_.push_back(slabs_.back().get() + i * buffer_bytes_);
        }
    }

    std::size_t buffer_bytes_;
    std::vector<std::unique_ptr<std::byte[]>> slabs_;
    std::vector<std::byte*> free_;
};

}  // namespace load
