// SPDX-License-Identifier: MIT
// ring_buffer.cpp - how a ring_buffer gets its memory and gives it back.
#include "ioring/ring_buffer.hpp"

#include <memory>
#include <new>
#include <utility>

#include "buffer/mirrored_memory.hpp"
#include "platform/text.hpp"

namespace ioring {

std::error_code detail::check_capacity(std::size_t bytes, bool huge_pages,
                                       std::string* why) noexcept {
    const std::size_t granularity = ring_buffer::granularity(huge_pages);
    if (bytes != 0 && bytes <= ring_buffer::capacity_max && bytes % granularity == 0) return {};
    platform::explain(why, "a ring buffer cannot have ", bytes,
                      " bytes: its size must be a multiple of ", granularity,
                      " bytes, this system's ", huge_pages ? "huge page" : "page", ", from ",
                      granularity, " to ", ring_buffer::capacity_max);
    return std::make_error_code(std::errc::invalid_argument);
}

std::size_t ring_buffer::granularity(bool huge_pages) noexcept {
    return platform::mirror_map::granularity(huge_pages);
}

std::error_code ring_buffer::create(std::size_t bytes, const ring_buffer_options& options,
                                    ring_buffer& out, std::string* why) noexcept {
    if (const auto error = detail::check_capacity(bytes, options.huge_pages, why)) return error;
    std::unique_ptr<detail::mirrored_memory> memory{new (std::nothrow) detail::mirrored_memory};
    if (memory == nullptr) return std::make_error_code(std::errc::not_enough_memory);
    if (const auto error = platform::mirror_map::create(
            bytes, /*count=*/1, {.huge_pages = options.huge_pages}, memory->map, why)) {
        return error;
    }
    ring_buffer made;
    made.base_ = memory->map.base(0);
    made.capacity_ = static_cast<std::uint32_t>(bytes);
    made.memory_ = memory.release();
    out = std::move(made);
    return {};
}

#if defined(__cpp_exceptions)
ring_buffer::ring_buffer(std::size_t bytes, const ring_buffer_options& options) {
    std::string why;
    if (const std::error_code error = create(bytes, options, *this, &why)) {
        throw std::system_error{error, why};
    }
}
#endif

ring_buffer& ring_buffer::operator=(ring_buffer&& other) noexcept {
    const bool fixed = pool_use_ != 0 || lent_ == lent_to_group;
    if (this == &other || fixed) return *this;
    if (memory_ != nullptr) release_memory();
    base_ = nullptr;
    head_ = tail_ = 0;
    capacity_ = read_offset_ = 0;
    id_ = buffer_id::invalid;
    lent_ = not_lent;
    take_over(other);
    return *this;
}

// Precondition: this is no buffer.
void ring_buffer::take_over(ring_buffer& other) noexcept {
    const bool fixed = other.pool_use_ != 0 || other.lent_ == lent_to_group;
    if (fixed) return;
    base_ = std::exchange(other.base_, nullptr);
    head_ = std::exchange(other.head_, 0);
    tail_ = std::exchange(other.tail_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    read_offset_ = std::exchange(other.read_offset_, 0);
    id_ = std::exchange(other.id_, buffer_id::invalid);
    lent_ = std::exchange(other.lent_, not_lent);
    memory_ = std::exchange(other.memory_, nullptr);
}

void ring_buffer::release_memory() noexcept {
    detail::mirrored_memory* const memory = std::exchange(memory_, nullptr);
    // What the kernel may still write to must not become anybody else's memory.
    if (!lent()) delete memory;
}

bool ring_buffer::uses_huge_pages() const noexcept {
    return memory_ != nullptr && memory_->map.uses_huge_pages();
}

}  // namespace ioring
