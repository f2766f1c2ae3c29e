// SPDX-License-Identifier: MIT
// real_rio_windows_test.cpp - whether the tests of the table have met the system's own RIO.
#include <string>

#include <gtest/gtest.h>

#include "winsock_world_windows.hpp"

namespace ioring::rio_tests {
namespace {

TEST(real_rio_test, works_here) {
    std::string why;
    const auto real = make_real_world(why);
    if (real == nullptr) GTEST_SKIP() << why;
    EXPECT_TRUE(backends::rio::works(real->system(), why)) << why;
}

}  // namespace
}  // namespace ioring::rio_tests
