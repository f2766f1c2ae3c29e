// SPDX-License-Identifier: MIT
// http_range_test.cpp - the examples' ranges and entity tags: random fields never select what a
// file does not have.
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

#include "http_range.hpp"

namespace ioring::fuzz {
namespace {

constexpr std::string_view tag = "\"17-2a\"";

// What a GET with these fields selects of a file of `bytes`.
http::selection selected(const std::string& fields, std::uint64_t bytes) {
    const std::string input = "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
    http::head_reader reader;
    http::head head;
    const http::progress done = reader.read(input, head);
    EXPECT_EQ(http::outcome::whole, done.what) << input;
    return http::select(head, tag, bytes);
}

TEST(http_range_test, the_ends_of_a_file_are_its_ends) {
    constexpr std::uint64_t most = UINT64_MAX;
    for (const std::uint64_t bytes : {std::uint64_t{1}, std::uint64_t{5}, most}) {
        const std::string last = std::to_string(bytes - 1);
        for (const std::string& range : {std::string{"0-"}, "-" + std::to_string(bytes),
                                         "0-" + last, std::string{"0-99999999999999999999999"}}) {
            const http::selection all = selected("Range: bytes=" + range + "\r\n", bytes);
            EXPECT_EQ(206, all.status) << range;
            EXPECT_EQ(0U, all.first) << range;
            EXPECT_EQ(bytes, all.end) << range;
        }
        const http::selection one = selected("Range: bytes=" + last + "-\r\n", bytes);
        EXPECT_EQ(206, one.status);
        EXPECT_EQ(bytes - 1, one.first);
        EXPECT_EQ(bytes, one.end);
        if (bytes != most) {
            EXPECT_EQ(416,
                      selected("Range: bytes=" + std::to_string(bytes) + "-\r\n", bytes).status);
        }
    }
}

TEST(http_range_test, random_fields_select_parts_of_the_file_or_all_of_it) {
    constexpr std::array<std::string_view, 19> pieces{"0-",
                                                      "-1",
                                                      "3-",
                                                      "bytes",
                                                      "=",
                                                      "-",
                                                      "0",
                                                      "1",
                                                      "9",
                                                      "18446744073709551615",
                                                      "18446744073709551616",
                                                      " ",
                                                      ",",
                                                      "W/",
                                                      "*",
                                                      "\"",
                                                      "\"17-2a\"",
                                                      "\t",
                                                      "x"};
    constexpr std::array<std::string_view, 4> names{
        "Range: bytes=", "Range: ", "If-Range: ", "If-None-Match: "};
    std::mt19937_64 random{1};
    std::array<int, 500> seen{};
    for (int round = 0; round < 100'000; ++round) {
        std::string fields;
        for (auto lines = 1 + random() % 2; lines > 0; --lines) {
            fields += names[random() % names.size()];
            for (auto count = random() % 5; count > 0; --count) {
                fields += pieces[random() % pieces.size()];
            }
            fields += "\r\n";
        }
        const std::uint64_t bytes = random() % 3 == 0 ? random() : random() % 12;
        const http::selection part = selected(fields, bytes);
        ++seen[static_cast<std::size_t>(part.status)];
        ASSERT_LE(part.first, part.end) << fields;
        ASSERT_LE(part.end, bytes) << fields;
        switch (part.status) {
            case 200: ASSERT_TRUE(part.first == 0 && part.end == bytes) << fields; break;
            case 206: ASSERT_LT(part.first, part.end) << fields; break;
            case 304:
            case 416: ASSERT_EQ(0U, part.end) << fields; break;
            default: FAIL() << part.status << fields;
        }
    }
    for (const std::size_t status : {200U, 206U, 304U, 416U})
        EXPECT_LT(200, seen[status]) << status;
}

}  // namespace
}  // namespace ioring::fuzz
