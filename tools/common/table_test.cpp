// SPDX-License-Identifier: MIT
// table_test.cpp - how a table of text is laid out.
#include "common/table.hpp"

#include <gtest/gtest.h>

namespace ioring::tools {
namespace {

TEST(table, names_are_left_and_numbers_right) {
    table rows{{"strategy", "messages/s", "p50"}};
    rows.add({"own-ring", "335,120", "143 us"});
    rows.add({"shared-pool", "1"});
    EXPECT_EQ(
        "strategy     messages/s     p50\n"
        "own-ring        335,120  143 us\n"
        "shared-pool           1\n",
        rows.text());
}

}  // namespace
}  // namespace ioring::tools
