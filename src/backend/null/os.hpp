// SPDX-License-Identifier: MIT
// os.hpp - the little that the null backend needs of the system.
#pragma once

#include <cstdint>

#include "platform/wake_handle.hpp"

namespace ioring::backends::null {

// The bytes of the msghdr at `address`, at most what a result holds; -EFAULT for no address.
[[nodiscard]] std::int32_t message_bytes(std::uint64_t address) noexcept;

// Sleeps until `handle` is signalled (0), a signal (-EINTR) or `deadline` (-ETIME), a time of
// platform::monotonic_ns().
[[nodiscard]] int sleep(const platform::wake_handle& handle, std::uint64_t deadline) noexcept;

}  // namespace ioring::backends::null
