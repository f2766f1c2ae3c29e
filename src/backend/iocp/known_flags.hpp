// SPDX-License-Identifier: MIT
// known_flags.hpp - the message flags that mean something here; no call of Windows has others.
#pragma once

#include <cstdint>

#include "ioring/sqe.hpp"

namespace ioring::backends::iocp {

inline constexpr std::uint32_t known_receive_flags = msg_flag::peek | msg_flag::dont_wait |
                                                     msg_flag::wait_all | msg_flag::no_signal |
                                                     msg_flag::more;
inline constexpr std::uint32_t known_send_flags =
    msg_flag::dont_wait | msg_flag::wait_all | msg_flag::no_signal | msg_flag::more;

}  // namespace ioring::backends::iocp
