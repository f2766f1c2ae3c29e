// SPDX-License-Identifier: MIT
// block_pool.hpp - small records by index, whose addresses stay and whose memory is reused.
//
// It grows in blocks, each twice as large as the one before, and never shrinks: once a program has
// had as many in use as it will, nothing allocates. An index is 32 bits where a pointer is 64.
#pragma once

#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace ioring::detail {

// Precondition: T has a member `std::uint32_t next`, the pool's own while the record is free.
template <class T>
class block_pool {
public:
    static constexpr std::uint32_t none = ~std::uint32_t{0};
    static constexpr std::uint32_t records_max = (256U << 20U) - 256;

    // A record as it was left, or none when there is no memory.
    [[nodiscard]] std::uint32_t take() noexcept {
        if (free_ != none) {
            const std::uint32_t index = free_;
            free_ = (*this)[index].next;
            ++in_use_;
            return index;
        }
        if (used_ == records_max || !has_block(used_)) return none;
        ++in_use_;
        return used_++;
    }
    void give_back(std::uint32_t index) noexcept {
        assert(index < used_ && in_use_ > 0);
        (*this)[index].next = free_;
        free_ = index;
        --in_use_;
    }
    // Guarantees `count` records without an allocation. False when there is no memory.
    [[nodiscard]] bool reserve(std::uint32_t count) noexcept {
        if (count > records_max) return false;
        for (unsigned block = 0; count != 0 && block <= block_of(count - 1); ++block) {
            if (!has_memory(block)) return false;
        }
        return true;
    }

    // Precondition: index was taken.
    [[nodiscard]] T& operator[](std::uint32_t index) noexcept {
        // NOLINTNEXTLINE(performance-no-int-to-ptr): an origin may lie before its block.
        return *reinterpret_cast<T*>(origins_[block_of(index)] + index * sizeof(T));
    }
    [[nodiscard]] std::uint32_t in_use() const noexcept { return in_use_; }
    // One more than the greatest index that was ever taken.
    [[nodiscard]] std::uint32_t end() const noexcept { return used_; }

private:
    static constexpr std::uint32_t first_block() noexcept { return 256; }
    static constexpr unsigned block_of(std::uint32_t index) noexcept {
        // Not zero, which spares a test for it.
        return static_cast<unsigned>(std::bit_width((index + first_block()) | 1U)) - 9;
    }

    [[nodiscard]] bool has_block(std::uint32_t index) noexcept {
        return has_memory(block_of(index));
    }
    [[nodiscard]] bool has_memory(unsigned block) noexcept {
        if (blocks_[block] == nullptr) {
            blocks_[block].reset(new (std::nothrow) T[std::size_t{first_block()} << block]);
            const std::uintptr_t first = (std::uintptr_t{first_block()} << block) - first_block();
            origins_[block] =
                reinterpret_cast<std::uintptr_t>(blocks_[block].get()) - first * sizeof(T);
        }
        return blocks_[block] != nullptr;
    }

    std::array<std::unique_ptr<T[]>, 20> blocks_;
    // Where index 0 would be if the pool were all of that block.
    std::array<std::uintptr_t, 20> origins_{};
    std::uint32_t free_ = none;
    std::uint32_t used_ = 0;
    std::uint32_t in_use_ = 0;
};

}  // namespace ioring::detail
