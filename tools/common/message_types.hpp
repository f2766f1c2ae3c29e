// SPDX-License-Identifier: MIT
// message_types.hpp - ::msghdr and ::iovec, from wherever this system has them.
#pragma once

#if __has_include(<sys/socket.h>)
#include <sys/socket.h>
#include <sys/uio.h>
#else
#include "ioring/message.hpp"
#endif
