// SPDX-License-Identifier: MIT
// number_text_test.cpp - which texts are numbers, and how numbers are written.
#include "common/number_text.hpp"

#include <gtest/gtest.h>

namespace ioring::tools {
namespace {

using namespace std::chrono_literals;

TEST(number_text, sizes_are_powers_of_1024) {
    std::uint64_t bytes = 0;
    for (const auto& [text, expected] : {std::pair{"0", 0ULL},
                                         {"64", 64ULL},
                                         {"64b", 64ULL},
                                         {"16k", 16384ULL},
                                         {"16K", 16384ULL},
                                         {"16KiB", 16384ULL},
                                         {"16 KiB", 16384ULL},
                                         {"1m", 1048576ULL},
                                         {"2GiB", 2147483648ULL},
                                         {"1,024", 1024ULL}}) {
        EXPECT_TRUE(parse_size(text, bytes)) << text;
        EXPECT_EQ(expected, bytes) << text;
    }
}

TEST(number_text, counts_are_powers_of_1000) {
    std::uint64_t count = 0;
    EXPECT_TRUE(parse_count("10k", count));
    EXPECT_EQ(10'000U, count);
    EXPECT_TRUE(parse_count("1,234,567", count));
    EXPECT_EQ(1'234'567U, count);
    EXPECT_TRUE(parse_count("18446744073709551615", count));
    EXPECT_EQ(~std::uint64_t{0}, count);
}

TEST(number_text, what_is_no_number_is_refused_with_its_text_and_changes_nothing) {
    for (const char* text :
         {"", " ", "k", "-1", "+1", "1.5", "1e3", "0x10", "12q", "1k2", "1,00", ",100", "1,",
          "100,", "64 bytes", "1..2", "18446744073709551616", "18446744074g", "\xc2\xb2"}) {
        std::uint64_t value = 7;
        std::string why;
        EXPECT_FALSE(parse_size(text, value, &why)) << text;
        EXPECT_EQ(7U, value) << text;
        EXPECT_NE(std::string::npos, why.find(text)) << why;
        EXPECT_FALSE(parse_count(text, value));
    }
}

TEST(number_text, durations_are_seconds_unless_a_unit_says_otherwise) {
    std::chrono::nanoseconds time{0};
    for (const auto& [text, expected] :
         {std::pair<const char*, std::chrono::nanoseconds>{"10", 10s},
          {"0.5", 500ms},
          {"500ms", 500ms},
          {"2s", 2s},
          {"1min", 60s},
          {"1.5h", 90min},
          {"250us", 250us},
          {"7ns", 7ns},
          {"0", 0s},
          {"2.", 2s}}) {
        EXPECT_TRUE(parse_duration(text, time)) << text;
        EXPECT_EQ(expected, time) << text;
    }
    for (const char* text :
         {"", "s", "-1", "nan", "inf", "1e9", ".5", "1.2.3", "10 years", "400000h", "0x1p3"}) {
        EXPECT_FALSE(parse_duration(text, time)) << text;
    }
}

TEST(number_text, decimals_know_thousands) {
    double value = 0;
    EXPECT_TRUE(parse_decimal("50k", value));
    EXPECT_DOUBLE_EQ(50'000, value);
    EXPECT_TRUE(parse_decimal("2.5", value));
    EXPECT_DOUBLE_EQ(2.5, value);
    EXPECT_TRUE(parse_decimal("50,000", value));
    EXPECT_DOUBLE_EQ(50'000, value);
    EXPECT_FALSE(parse_decimal("nan", value));
    EXPECT_FALSE(parse_decimal("-3", value));
    EXPECT_FALSE(parse_decimal(std::string(400, '9'), value));
}

TEST(number_text, large_numbers_have_commas) {
    EXPECT_EQ("0", with_commas(std::uint64_t{0}));
    EXPECT_EQ("999", with_commas(std::uint64_t{999}));
    EXPECT_EQ("1,000", with_commas(std::uint64_t{1000}));
    EXPECT_EQ("3,351,204", with_commas(std::uint64_t{3'351'204}));
    EXPECT_EQ("18,446,744,073,709,551,615", with_commas(~std::uint64_t{0}));
    EXPECT_EQ("335,120", with_commas(335'120.4));
    EXPECT_EQ("0.25", with_commas(0.25));
    EXPECT_EQ("12.3", with_commas(12.34));
    EXPECT_EQ("1,000", with_commas(999.9));
}

TEST(number_text, durations_have_three_digits) {
    EXPECT_EQ("0 ns", duration_text(0ns));
    EXPECT_EQ("850 ns", duration_text(850ns));
    EXPECT_EQ("1.00 us", duration_text(1us));
    EXPECT_EQ("21.4 us", duration_text(21'449ns));
    EXPECT_EQ("143 us", duration_text(143'120ns));
    EXPECT_EQ("1,000 us", duration_text(999'700ns));
    EXPECT_EQ("1,250 us", duration_text(1250us));
    EXPECT_EQ("10.0 ms", duration_text(9'999'500ns));
    EXPECT_EQ("45.0 ms", duration_text(45ms));
    EXPECT_EQ("1.00 s", duration_text(999'600us));
    EXPECT_EQ("100 s", duration_text(100s));
}

TEST(number_text, sizes_are_written_in_the_largest_unit) {
    EXPECT_EQ("64 B", bytes_text(64));
    EXPECT_EQ("1000 B", bytes_text(1000));
    EXPECT_EQ("16 KiB", bytes_text(16'384));
    EXPECT_EQ("1.5 MiB", bytes_text(1'572'864));
    EXPECT_EQ("3 GiB", bytes_text(3ULL << 30U));
}

}  // namespace
}  // namespace ioring::tools
