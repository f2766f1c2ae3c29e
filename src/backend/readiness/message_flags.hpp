// SPDX-License-Identifier: MIT
// message_flags.hpp - Linux's MSG_* numbers as those of a system that has others.
#pragma once

#include <sys/socket.h>

#include <cstdint>

#include "ioring/sqe.hpp"

namespace ioring::backends::readiness::system {

// -1 when there is one that the system does not have. wait_all, dont_wait and no_signal are the
// caller's business; `more` is a hint that may be dropped.
[[nodiscard]] inline int translate_message_flags(std::uint32_t msg_flags) noexcept {
    constexpr std::uint32_t left_out =
        msg_flag::wait_all | msg_flag::dont_wait | msg_flag::no_signal | msg_flag::more;
    constexpr std::uint32_t out_of_band = 0x01;  // Linux's MSG_OOB.
    int flags = 0;
    std::uint32_t rest = msg_flags & ~left_out;
    const auto take = [&](std::uint32_t linux_flag, int host_flag) {
        if ((rest & linux_flag) == 0) return;
        rest &= ~linux_flag;
        flags |= host_flag;
    };
    take(msg_flag::peek, MSG_PEEK);
    take(msg_flag::trunc, MSG_TRUNC);
    take(out_of_band, MSG_OOB);
    return rest == 0 ? flags : -1;
}

}  // namespace ioring::backends::readiness::system
