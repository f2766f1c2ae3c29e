// SPDX-License-Identifier: MIT
// number_text.hpp - numbers as people type them on a command line, and as they like to read them.
//
// The parsers take the whole text or nothing: on failure they return false, leave `out` unchanged
// and set `why`, when given, to a clause that quotes the text ("`12q` is no size: ...").
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace ioring::tools {

// Bytes: a whole number, or one followed by k, m, g (or KiB, MiB, GiB; any case): powers of 1024.
[[nodiscard]] bool parse_size(std::string_view text, std::uint64_t& out,
                              std::string* why = nullptr);

// How many: a whole number, or one followed by k, m, g: powers of 1000. Commas may group digits.
[[nodiscard]] bool parse_count(std::string_view text, std::uint64_t& out,
                               std::string* why = nullptr);

// A decimal number such as 2.5, or one followed by k, m, g: powers of 1000. Never negative,
// infinite or not a number.
[[nodiscard]] bool parse_decimal(std::string_view text, double& out, std::string* why = nullptr);

// A time: a decimal number of seconds, or one followed by ns, us, ms, s, min or h. At most a year.
[[nodiscard]] bool parse_duration(std::string_view text, std::chrono::nanoseconds& out,
                                  std::string* why = nullptr);

// 1234567 -> "1,234,567"
[[nodiscard]] std::string with_commas(std::uint64_t value);
// Rounded to a whole number from 1000 on, three significant digits below.
[[nodiscard]] std::string with_commas(double value);

// "850 ns", "143 us", "1.25 ms", "2.10 s": three significant digits, microseconds up to 9,999.
[[nodiscard]] std::string duration_text(std::chrono::nanoseconds value);

// "64 B", "16 KiB", "1.5 MiB"
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

}  // namespace ioring::tools
