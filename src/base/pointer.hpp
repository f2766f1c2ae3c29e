// SPDX-License-Identifier: MIT
// pointer.hpp - the pointer that an SQE, or a record of provided buffers, holds as a number.
#pragma once

#include <cstdint>

namespace ioring::detail {

template <class T>
[[nodiscard]] T* pointer_of(std::uint64_t address) noexcept {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the entry format has numbers for pointers.
    return reinterpret_cast<T*>(static_cast<std::uintptr_t>(address));
}

}  // namespace ioring::detail
