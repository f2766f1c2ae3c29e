// SPDX-License-Identifier: MIT
// os_windows.cpp - sleeping on Windows, which has no msghdr.
#include "backend/null/os.hpp"

#include <cerrno>

#include "platform/clock.hpp"
#include "platform/winsock_windows.hpp"

namespace ioring::backends::null {

std::int32_t message_bytes(std::uint64_t address) noexcept {
    return address == 0 ? -EFAULT : -EOPNOTSUPP;
}

int sleep(const platform::wake_handle& handle, std::uint64_t deadline) noexcept {
    for (;;) {
        const auto timeout_ms = static_cast<DWORD>(platform::poll_timeout_ms(deadline));
        if (::WaitForSingleObject(handle.native(), timeout_ms) == WAIT_OBJECT_0) return 0;
        // It waits for 24 days at most, and may end a tick too early.
        if (platform::monotonic_ns() >= deadline) return -ETIME;
    }
}

}  // namespace ioring::backends::null
