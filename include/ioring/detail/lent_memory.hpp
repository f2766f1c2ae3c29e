// SPDX-License-Identifier: MIT
// lent_memory.hpp - which memory is not the program's for now, as AddressSanitizer is told.
//
// Not for programs. What a kernel may read or write, and what lies free, is lent: where the library
// and the program were built with AddressSanitizer on a 64-bit Linux, the program's first touch of
// it ends it with a "use-after-poison". Everywhere else all of this is nothing.
//
// AddressSanitizer can mark the end of eight aligned bytes, not their beginning: of lent bytes that
// share eight with the program's own, up to seven stay accessible. Never the other way round.
// Memory must be reclaimed before it is unmapped or given to another allocator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#if defined(__SANITIZE_ADDRESS__)
#define IORING_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IORING_ADDRESS_SANITIZER 1
#endif
#endif

namespace ioring::detail {

#if defined(IORING_ADDRESS_SANITIZER)
inline constexpr bool address_sanitizer = true;
#else
inline constexpr bool address_sanitizer = false;
#endif

// In the library, and empty in one that was built without: a program with AddressSanitizer may be
// linked to that.
void poison(std::span<const std::byte> memory) noexcept;
void unpoison(std::span<const std::byte> memory) noexcept;
// The same for `bytes` from `offset` of mirrored memory, in both of its views. `memory` is both;
// offset is less than its size, bytes at most half of it.
void poison_mirrored(std::span<std::byte> memory, std::size_t offset, std::size_t bytes) noexcept;
void unpoison_mirrored(std::span<std::byte> memory, std::size_t offset, std::size_t bytes) noexcept;

inline void lend(std::span<const std::byte> memory) noexcept {
    if constexpr (address_sanitizer) poison(memory);
}
inline void reclaim(std::span<const std::byte> memory) noexcept {
    if constexpr (address_sanitizer) unpoison(memory);
}
inline void lend_mirrored(std::span<std::byte> memory, std::size_t offset,
                          std::size_t bytes) noexcept {
    if constexpr (address_sanitizer) poison_mirrored(memory, offset, bytes);
}
inline void reclaim_mirrored(std::span<std::byte> memory, std::size_t offset,
                             std::size_t bytes) noexcept {
    if constexpr (address_sanitizer) unpoison_mirrored(memory, offset, bytes);
}

// For tests.
[[nodiscard]] bool is_poisoned(const std::byte& at) noexcept;

}  // namespace ioring::detail
