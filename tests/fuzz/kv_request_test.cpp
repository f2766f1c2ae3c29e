// SPDX-License-Identifier: MIT
// kv_request_test.cpp - the key-value server's reader of requests: pieces, and random inputs.
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <random>
#include <string>

#include "kv_protocol.hpp"

namespace ioring::fuzz {
namespace {

using state = kv::request::state;

// Reads a copy of its exact size, so that a sanitizer sees who reads on.
state read(kv::request& into, const std::string& input, std::unique_ptr<char[]>& copy) {
    copy = std::make_unique<char[]>(input.size());
    std::copy(input.begin(), input.end(), copy.get());
    return into.read({copy.get(), input.size()});
}

TEST(kv_request_test, every_part_of_a_request_is_partial_and_all_of_it_is_whole) {
    std::unique_ptr<char[]> copy;
    kv::request request;
    for (const std::string& whole :
         {std::string{"*2\r\n$4\r\nECHO\r\n$6\r\n\r\n$*1\r\r\n"}, std::string{"SET a  b \r\n"},
          std::string{"*1\r\n$0\r\n\r\n"}, std::string{"*0\r\n"}, std::string{"\r\n"}}) {
        for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
            EXPECT_EQ(state::partial, read(request, whole.substr(0, bytes), copy)) << bytes;
        }
        for (const char* const behind : {"", "*", "\r\n", "*1\r\n$1\r\nx\r\n"}) {
            ASSERT_EQ(state::whole, read(request, whole + behind, copy));
            EXPECT_EQ(whole.size(), request.bytes);
        }
    }
    ASSERT_EQ(state::whole, read(request, "SET a  b \r\n", copy));
    EXPECT_EQ((std::vector<std::string_view>{"SET", "a", "b"}), request.words);
}

TEST(kv_request_test, what_is_bad_says_why_and_stays_bad_with_more_behind_it) {
    std::unique_ptr<char[]> copy;
    kv::request request;
    for (const std::string& bad :
         {std::string{"*1\r\n:"}, std::string{"*1\r\n$x\r\n"}, std::string{"*1025\r\n"},
          std::string{"*1\r\n$1\r\nab\r\n"}, std::string(kv::line_bytes_max + 2, 'x')}) {
        for (const char* const behind : {"", "\r\n", "PING\r\n"}) {
            EXPECT_EQ(state::bad, read(request, bad + behind, copy)) << bad.substr(0, 20);
            EXPECT_FALSE(request.problem.empty());
        }
    }
}

TEST(kv_request_test, random_inputs_never_lead_out_of_the_input) {
    constexpr std::array<const char*, 14> pieces{"*", "$",      "\r\n",   "\r",         "\n",
                                                 " ", "0",      "1\r\n",  "2\r\n",      "-",
                                                 "x", "$1\r\n", "*2\r\n", "99999999999"};
    std::mt19937 random{1};
    std::unique_ptr<char[]> copy;
    kv::request request;
    std::array<int, 3> seen{};
    for (int round = 0; round < 50'000; ++round) {
        std::string input;
        for (auto count = random() % 12; count > 0; --count) {
            input += pieces[random() % pieces.size()];
        }
        const state how = read(request, input, copy);
        ++seen[static_cast<std::size_t>(how)];
        ASSERT_LE(request.bytes, input.size()) << input;
        for (const std::string_view word : request.words) {
            ASSERT_GE(word.data(), copy.get()) << input;
            ASSERT_LE(word.data() + word.size(), copy.get() + input.size()) << input;
        }
        if (how == state::whole) {
            ASSERT_NE(0U, request.bytes) << input;
        }
    }
    for (const int count : seen) EXPECT_LT(500, count);
}

}  // namespace
}  // namespace ioring::fuzz
