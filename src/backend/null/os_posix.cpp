// SPDX-License-Identifier: MIT
// os_posix.cpp - messages and sleeping on POSIX systems.
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "backend/null/os.hpp"
#include "base/pointer.hpp"
#include "platform/clock.hpp"

namespace ioring::backends::null {

std::int32_t message_bytes(std::uint64_t address) noexcept {
    if (address == 0) return -EFAULT;
    const auto& message = *detail::pointer_of<const msghdr>(address);
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(message.msg_iovlen); ++i) {
        bytes += message.msg_iov[i].iov_len;
    }
    constexpr std::uint64_t most = std::numeric_limits<std::int32_t>::max();
    return static_cast<std::int32_t>(std::min(bytes, most));
}

int sleep(const platform::wake_handle& handle, std::uint64_t deadline) noexcept {
    for (;;) {
        pollfd waited{handle.native(), POLLIN, 0};
        const int ready = ::poll(&waited, 1, platform::poll_timeout_ms(deadline));
        if (ready > 0) return 0;
        if (ready < 0) return -errno;
        // poll() waits for 24 days at most.
        if (platform::monotonic_ns() >= deadline) return -ETIME;
    }
}

}  // namespace ioring::backends::null
