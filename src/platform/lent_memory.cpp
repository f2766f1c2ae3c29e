// SPDX-License-Identifier: MIT
// lent_memory.cpp - AddressSanitizer's calls, where the kernels in user space can pass it by.
#include "ioring/detail/lent_memory.hpp"

#include <algorithm>

#include "platform/poisons.hpp"

#if defined(IORING_POISONS)
#include <sanitizer/asan_interface.h>
#endif

namespace ioring::detail {

#if defined(IORING_POISONS)

void poison(std::span<const std::byte> memory) noexcept {
    ASAN_POISON_MEMORY_REGION(memory.data(), memory.size());
}

void unpoison(std::span<const std::byte> memory) noexcept {
    ASAN_UNPOISON_MEMORY_REGION(memory.data(), memory.size());
}

bool is_poisoned(const std::byte& at) noexcept { return __asan_address_is_poisoned(&at) != 0; }

#else

void poison(std::span<const std::byte>) noexcept {}
void unpoison(std::span<const std::byte>) noexcept {}
bool is_poisoned(const std::byte&) noexcept { return false; }

#endif

namespace {

// The part up to the end of a view, and the rest, in each view.
template <class Change>
void change_mirrored(std::span<std::byte> memory, std::size_t offset, std::size_t bytes,
                     Change change) noexcept {
    const std::size_t capacity = memory.size() / 2;
    if (offset >= capacity) offset -= capacity;
    const std::size_t part = std::min(bytes, capacity - offset);
    for (const std::size_t view : {std::size_t{0}, capacity}) {
        change(memory.subspan(view + offset, part));
        change(memory.subspan(view, bytes - part));
    }
}

}  // namespace

void poison_mirrored(std::span<std::byte> memory, std::size_t offset, std::size_t bytes) noexcept {
    change_mirrored(memory, offset, bytes, poison);
}

void unpoison_mirrored(std::span<std::byte> memory, std::size_t offset,
                       std::size_t bytes) noexcept {
    change_mirrored(memory, offset, bytes, unpoison);
}

}  // namespace ioring::detail
