// SPDX-License-Identifier: MIT
// lent_bytes.hpp - reading and writing, as a kernel does, memory that is lent to it.
//
// AddressSanitizer reports who touches such memory (ioring/detail/lent_memory.hpp), and must not
// see this.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "ioring/detail/lent_memory.hpp"

#if defined(IORING_ADDRESS_SANITIZER) && defined(__GNUC__)
#define IORING_UNSEEN __attribute__((no_sanitize("address")))
#else
#define IORING_UNSEEN
#endif

namespace ioring::backends {

IORING_UNSEEN inline void copy_lent(std::byte* to, const std::byte* from,
                                    std::size_t bytes) noexcept {
    if constexpr (detail::address_sanitizer) {
        // Volatile, or it becomes a call of memcpy(), which is seen.
        volatile std::byte* const out = to;
        const volatile std::byte* const in = from;
        for (std::size_t at = 0; at < bytes; ++at) out[at] = in[at];
    } else if (bytes > 0) {
        std::memcpy(to, from, bytes);
    }
}

inline void append_lent(std::vector<std::byte>& to, std::span<const std::byte> bytes) {
    if constexpr (detail::address_sanitizer) {
        const std::size_t before = to.size();
        to.resize(before + bytes.size());
        copy_lent(to.data() + before, bytes.data(), bytes.size());
    } else {
        to.insert(to.end(), bytes.begin(), bytes.end());
    }
}

[[nodiscard]] inline bool equals_lent(const std::byte* lent,
                                      std::span<const std::byte> bytes) noexcept {
    std::array<std::byte, 256> part;
    while (!bytes.empty()) {
        const std::size_t count = std::min(part.size(), bytes.size());
        copy_lent(part.data(), lent, count);
        if (std::memcmp(part.data(), bytes.data(), count) != 0) return false;
        lent += count;
        bytes = bytes.subspan(count);
    }
    return true;
}

}  // namespace ioring::backends

#undef IORING_UNSEEN
