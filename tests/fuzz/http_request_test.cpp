// SPDX-License-Identifier: MIT
// http_request_test.cpp - the examples' reader of requests: limits, framing, and random inputs.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>

#include "fuzz/http_check.hpp"
#include "http_request.hpp"

namespace ioring::fuzz {
namespace {

std::string with(const std::string& fields) { return "GET / HTTP/1.1\r\n" + fields + "\r\n"; }
std::string chunked(const std::string& body) {
    return "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
}
// The status, or 200 for a request that is whole, or 100 for one that is not.
int status_of(const std::string& input) {
    const std::string words = check_http(input);
    const std::size_t bad = words.rfind("bad ");
    if (bad != std::string::npos) return std::atoi(words.c_str() + bad + 4);
    return words == "partial\n" ? 100 : 200;
}
bool is_body(const std::string& input, const std::string& body) {
    const std::string words = check_http(input);
    return words.find("\n" + body + "\npartial\n") != std::string::npos;
}

TEST(http_request_test, what_is_in_order_is_accepted) {
    EXPECT_EQ(200, status_of(with("Host: a\r\n")));
    EXPECT_EQ(200, status_of("GET / HTTP/1.0\r\n\r\n"));
    EXPECT_EQ(200, status_of("GET http://a/b?c HTTP/1.1\r\nhOST:a\r\n\r\n"));
    EXPECT_EQ(200, status_of("\r\n\r\n" + with("Host: a\r\nX:\r\n")));
    EXPECT_EQ(100, status_of("GET / HTTP/1.1\r\nHost: a\r\n"));
    EXPECT_TRUE(is_body("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "abc"));
    EXPECT_TRUE(is_body(chunked("1\r\na\r\n002;x=y\r\nbc\r\n0\r\nT: u\r\n\r\n"), "abc"));
    EXPECT_TRUE(is_body(chunked("0\r\n\r\n"), ""));
}

TEST(http_request_test, framing_that_is_not_the_protocol_s_is_refused) {
    for (const char* const fields :
         {"", "Host: a\r\nHost: a\r\n", "Host: a\nX: b\r\n", "Host: a\r\nX: b\r\n c\r\n",
          "Host: a\r\nX y: b\r\n", "Host: a\r\nX : b\r\n", "Host: a\r\nContent-Length: +1\r\n",
          "Host: a\r\nContent-Length: \r\n", "Host: a\r\nContent-Length: 1, 1\r\n",
          "Host: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n", "Host: a\r\n: b\r\n",
          "Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n",
          "Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"}) {
        EXPECT_EQ(400, status_of(with(fields))) << fields;
    }
    EXPECT_EQ(400, status_of("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"));
    EXPECT_EQ(400, status_of("GET / HTTP/1.1\nHost: a\n\n"));
    EXPECT_EQ(400, status_of(with(std::string{"Host: a\r\nX: \0\r\n", 15})));
    EXPECT_EQ(400, status_of("\x16\x03\x01\x02"));
}

TEST(http_request_test, chunks_that_are_not_the_protocol_s_are_refused) {
    for (const char* const body :
         {"\r\n", "g\r\n", "-1\r\n", " 1\r\n", "1\na\r\n0\r\n\r\n", "1\r\nab\r\n", "1\r\na\n0\r\n",
          "1\r\na\rx", "1;\x01\r\n", "0\r\nno field\r\n\r\n", "0\r\n: x\r\n\r\n", "0\r\nT: u\n"}) {
        EXPECT_EQ(400, status_of(chunked(body))) << body;
    }
    EXPECT_EQ(400, status_of(chunked("1;" + std::string(300, 'x'))));
    EXPECT_EQ(413, status_of(chunked("fffffffffffffffff\r\n")));
    EXPECT_EQ(413, status_of(chunked("100001\r\n")));  // http_check.cpp allows 1 MiB.
    EXPECT_EQ(431, status_of(chunked("0\r\nT: " + std::string(5000, 'x'))));
}

TEST(http_request_test, what_it_does_not_know_has_an_answer_of_its_own) {
    EXPECT_EQ(501, status_of("BREW / HTTP/1.1\r\nHost: a\r\n\r\n"));
    EXPECT_EQ(501, status_of("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"));
    EXPECT_EQ(501, status_of(with("Host: a\r\nTransfer-Encoding: gzip\r\n")));
    EXPECT_EQ(417, status_of(with("Host: a\r\nExpect: tea\r\n")));
    EXPECT_EQ(505, status_of("GET / HTTP/2.0\r\nHost: a\r\n\r\n"));
    EXPECT_EQ(505, status_of("GET /\r\n\r\n"));
    EXPECT_EQ(413, status_of("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n"));
}

TEST(http_request_test, limits_are_kept_to_the_byte) {
    const std::string around = with("Host: a\r\nX: \r\n");
    const std::size_t rest = http::head_bytes_max - around.size();
    EXPECT_EQ(200, status_of(with("Host: a\r\nX: " + std::string(rest, 'x') + "\r\n")));
    EXPECT_EQ(431, status_of(with("Host: a\r\nX: " + std::string(rest + 1, 'x') + "\r\n")));
    EXPECT_EQ(414, status_of("GET /" + std::string(http::head_bytes_max, 'x')));
    std::string fields = "Host: a\r\n";
    for (std::size_t each = 1; each < http::fields_max; ++each) fields += "X: y\r\n";
    EXPECT_EQ(200, status_of(with(fields)));
    EXPECT_EQ(431, status_of(with(fields + "X: y\r\n")));
}

TEST(http_request_test, random_changes_of_requests_are_read_alike_or_refused) {
    std::mt19937 random{7};
    const auto below = [&random](std::size_t bound) {
        return std::uniform_int_distribution<std::size_t>{0, bound - 1}(random);
    };
    const auto samples = http_samples();
    constexpr std::string_view letters = "\r\n :;0159aFgT/%\t\0\x7f\xff";
    std::size_t accepted = 0;
    for (int run = 0; run < 5000; ++run) {
        std::string input{samples[below(samples.size())]};
        for (std::size_t change = below(4); change != 0; --change) {
            const std::size_t at = below(input.size());
            switch (below(4)) {
                case 0: input[at] = letters[below(letters.size())]; break;
                case 1: input.insert(at, 1, letters[below(letters.size())]); break;
                case 2: input.erase(at, 1 + below(3)); break;
                default: input.insert(at, samples[below(samples.size())]); break;
            }
            if (input.empty()) input = "x";
        }
        accepted += check_http(input).find("path ") != std::string::npos ? 1U : 0U;
    }
    EXPECT_LT(500U, accepted);  // Else it tried nothing but refusals.
    EXPECT_GT(4500U, accepted);
}

}  // namespace
}  // namespace ioring::fuzz
