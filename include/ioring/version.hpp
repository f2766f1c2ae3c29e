// SPDX-License-Identifier: MIT
// version.hpp - the library's version, the one place that states it; CMake reads it from here.
//
// Semantic versioning: until 1.0.0 a minor version may break source compatibility.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace ioring {

inline constexpr unsigned version_major = 0;  // Changes with what no longer compiles, from 1 on.
inline constexpr unsigned version_minor = 1;  // With what is new.
inline constexpr unsigned version_patch = 0;  // With what is mended.

namespace detail {

// "major.minor.patch" without a terminating zero. Only the first `size` characters are used.
struct version_text {
    std::array<char, 32> characters{};
    std::size_t size = 0;

    consteval version_text(unsigned major, unsigned minor, unsigned patch) {
        append_number(major);
        characters[size++] = '.';
        append_number(minor);
        characters[size++] = '.';
        append_number(patch);
    }

    consteval void append_number(unsigned number) {
        if (number >= 10) append_number(number / 10);
        characters[size++] = static_cast<char>('0' + number % 10);
    }
};

inline constexpr version_text version_characters{version_major, version_minor, version_patch};

}  // namespace detail

// For example "0.1.0"; valid for as long as the program runs.
inline constexpr std::string_view version_string{detail::version_characters.characters.data(),
                                                 detail::version_characters.size};

}  // namespace ioring
