// SPDX-License-Identifier: MIT
// growing_array.hpp - an array that grows without throwing, for tables that outlive their burst.
#pragma once

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace ioring::backends::emulation {

// Elements are value-initialised, never removed one by one, and move when it grows: keep indices.
template <class T>
class growing_array {
    static_assert(std::is_trivially_copyable_v<T>);

public:
    // Makes room for `count` elements at least, the new ones value-initialised. False, and nothing
    // has changed, when there is no memory.
    [[nodiscard]] bool grow_to(std::size_t count) noexcept {
        if (count <= size_) return true;
        const std::size_t wanted = std::bit_ceil(std::max(count, elements_min));
        std::unique_ptr<T[]> grown{new (std::nothrow) T[wanted]()};
        if (grown == nullptr) return false;
        std::copy_n(elements_.get(), size_, grown.get());
        elements_ = std::move(grown);
        size_ = wanted;
        return true;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] T& operator[](std::size_t index) noexcept {
        assert(index < size_);
        return elements_[index];
    }
    [[nodiscard]] const T& operator[](std::size_t index) const noexcept {
        assert(index < size_);
        return elements_[index];
    }

private:
    static constexpr std::size_t elements_min = 64;

    std::unique_ptr<T[]> elements_;
    std::size_t size_ = 0;
};

}  // namespace ioring::backends::emulation
