// SPDX-License-Identifier: MIT
// linux_test_support.hpp - what the tests of buffers on io_uring share: bytes as text, and sent.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "buffer/buffer_test_support.hpp"

namespace ioring::buffer_tests {

inline std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// From the peer's end, all of it at once.
inline void send(const tcp_pair& to, std::string_view text) {
    ASSERT_EQ(static_cast<ssize_t>(text.size()),
              ::send(to.theirs().value, text.data(), text.size(), MSG_NOSIGNAL));
}

}  // namespace ioring::buffer_tests
