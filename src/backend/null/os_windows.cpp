// SPDX-License-Identifier: MIT
// os_windows.cpp - messages and sleeping on Windows.
#include "backend/null/os.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>

#include "base/pointer.hpp"
#include "ioring/message.hpp"
#include "platform/clock.hpp"
#include "platform/winsock_windows.hpp"

namespace ioring::backends::null {

std::int32_t message_bytes(std::uint64_t address) noexcept {
    if (address == 0) return -EFAULT;
    const auto& message = *detail::pointer_of<const msghdr>(address);
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < message.msg_iovlen; ++i) bytes += message.msg_iov[i].iov_len;
    constexpr std::uint64_t most = std::numeric_limits<std::int32_t>::max();
    return static_cast<std::int32_t>((std::min)(bytes, most));
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
