// SPDX-License-Identifier: MIT
// version_test.cpp - the version's text and numbers agree with each other and with CMake's.
#include "ioring/version.hpp"

#include <gtest/gtest.h>

#include <string>

namespace ioring {
namespace {

TEST(version_test, text_is_the_three_numbers) {
    const std::string expected = std::to_string(version_major) + "." +
                                 std::to_string(version_minor) + "." +
                                 std::to_string(version_patch);
    EXPECT_EQ(expected, version_string);
}

TEST(version_test, cmake_read_the_same_version) { EXPECT_EQ(IORING_CMAKE_VERSION, version_string); }

TEST(version_test, numbers_of_several_digits_are_spelt_out) {
    constexpr detail::version_text text{10, 0, 4294967295};
    EXPECT_EQ("10.0.4294967295", std::string(text.characters.data(), text.size));
}

}  // namespace
}  // namespace ioring
