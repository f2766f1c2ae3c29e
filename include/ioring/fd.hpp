// SPDX-License-Identifier: MIT
// fd.hpp - a ring's name for a socket or file.
#pragma once

#include <cstdint>

namespace ioring {

// A descriptor as SQEs carry it: 32 bits. It owns nothing.
//
// POSIX: the descriptor itself. Windows: a number of the process's socket table, because a SOCKET
// has 64 bits. `ring::native()` and `ring::adopt()` convert; nothing else may assume the number's
// meaning.
struct fd {
    std::int32_t value = -1;  // Below 0: none.

    // It names something, or did.
    [[nodiscard]] constexpr bool valid() const noexcept { return value >= 0; }
    // The same number.
    friend constexpr bool operator==(fd, fd) noexcept = default;
};

}  // namespace ioring
