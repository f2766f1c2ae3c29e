// SPDX-License-Identifier: MIT
// text_test.cpp - what the texts of errors are made of.
#include "platform/text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace ioring::platform {
namespace {

TEST(text, quoted_text_is_printable_and_not_endless) {
    EXPECT_EQ("\"plain\"", in_quotes("plain"));
    EXPECT_EQ("\"\"", in_quotes(""));
    EXPECT_EQ(R"("a\"b\\c")", in_quotes("a\"b\\c"));
    EXPECT_EQ(R"("\x00\x0a\x1b\x7f\xff")", in_quotes(std::string_view("\0\n\x1b\x7f\xff", 5)));
    EXPECT_EQ('"' + std::string(160, 'x') + "\"... (1000 bytes)",
              in_quotes(std::string(1000, 'x')));
}

TEST(text, an_errors_name_begins_small_unless_it_is_an_abbreviation) {
    EXPECT_EQ("address already in use", error_name(EADDRINUSE));
    EXPECT_EQ('U', error_name(1'000'000)[0] & ~0x20);  // "Unknown error ...", small or not.
}

TEST(text, explain_joins_texts_numbers_and_what_functions_return) {
    std::string why = "before";
    explain(&why, "a", ' ', std::string("b "), 3, ' ', -4L, [] { return std::string(" c"); });
    EXPECT_EQ("a b 3 -4 c", why);
}

TEST(text, explain_makes_nothing_when_no_text_is_wanted) {
    bool called = false;
    explain(nullptr, [&] {
        called = true;
        return std::string("x");
    });
    EXPECT_FALSE(called);
}

TEST(text, advice_names_the_limit_in_force) {
    EXPECT_NE(std::string::npos, advice_on(EMFILE).find("ulimit -n"));
    EXPECT_EQ("", advice_on(EPIPE));
}

#if defined(__cpp_exceptions)
TEST(text, out_of_memory_is_a_result_and_not_an_exception) {
    EXPECT_FALSE(with_memory([] { throw std::bad_alloc{}; }));
    EXPECT_TRUE(with_memory([] {}));
    std::string why = "before";
    explain(&why, []() -> std::string { throw std::bad_alloc{}; });
    EXPECT_EQ("", why);
}
#endif

}  // namespace
}  // namespace ioring::platform
