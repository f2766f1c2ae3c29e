// SPDX-License-Identifier: MIT
// use_after_lend.hpp - that a byte is the program's, or that AddressSanitizer ends who touches it.
//
// For *_asan_linux_test.cpp: elsewhere nothing is reported.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>

#include "ioring/detail/lent_memory.hpp"

namespace ioring::tests {

inline void read_byte(const std::byte& at) {
    [[maybe_unused]] const std::byte value = static_cast<const volatile std::byte&>(at);
}

inline void write_byte(std::byte& at) { static_cast<volatile std::byte&>(at) = std::byte{1}; }

}  // namespace ioring::tests

#define EXPECT_LENT(statement) EXPECT_DEATH(statement, "use-after-poison")
