// SPDX-License-Identifier: MIT
// error_test.cpp - results as error codes.
#include "ioring/error.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <limits>

namespace ioring {
namespace {

TEST(error_test, what_is_not_negative_is_no_error) {
    EXPECT_FALSE(error_of(0));
    EXPECT_FALSE(error_of(1));
    EXPECT_FALSE(error_of(std::numeric_limits<int>::max()));
    EXPECT_FALSE(error_of(cqe{.user_data = 1, .res = 4096, .flags = 0}));
}

TEST(error_test, negative_results_compare_with_the_standard_conditions) {
    EXPECT_EQ(std::errc::operation_canceled, error_of(-ECANCELED));
    EXPECT_EQ(std::errc::connection_reset, error_of(-ECONNRESET));
    EXPECT_EQ(std::errc::too_many_files_open, error_of(-EMFILE));
    EXPECT_EQ(std::errc::resource_unavailable_try_again, error_of(-EAGAIN));
    EXPECT_EQ(std::errc::broken_pipe, error_of(cqe{.user_data = 1, .res = -EPIPE, .flags = 0}));
    EXPECT_NE(std::errc::broken_pipe, error_of(-EAGAIN));
}

TEST(error_test, has_a_text) { EXPECT_FALSE(error_of(-EPIPE).message().empty()); }

}  // namespace
}  // namespace ioring
