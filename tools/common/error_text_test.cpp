// SPDX-License-Identifier: MIT
// error_text_test.cpp - errors of sockets have words; those of other categories keep their own.
#include "common/error_text.hpp"

#include <gtest/gtest.h>

#include <ioring/endpoint.hpp>

namespace ioring::tools {
namespace {

TEST(error_text, errors_of_sockets_have_words) {
    EXPECT_EQ("Connection refused", error_text(make_error_code(std::errc::connection_refused)));
    EXPECT_EQ("Connection reset by peer", error_text(make_error_code(std::errc::connection_reset)));
    EXPECT_EQ("No buffer space available", error_text(make_error_code(std::errc::no_buffer_space)));
}

TEST(error_text, a_name_that_does_not_resolve_is_told_by_its_own_words) {
    const std::error_code error = make_error_code(resolve_errc::host_not_found);
    EXPECT_EQ(error.message(), error_text(error));
}

}  // namespace
}  // namespace ioring::tools
