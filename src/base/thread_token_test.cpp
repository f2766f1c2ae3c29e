// SPDX-License-Identifier: MIT
// thread_token_test.cpp - each thread has a token, and no token comes back.
#include "base/thread_token.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>

namespace ioring::detail {
namespace {

TEST(thread_token_test, is_the_same_all_along_one_thread) {
    const std::uint64_t mine = thread_token();
    EXPECT_NE(no_thread, mine);
    EXPECT_EQ(mine, thread_token());
}

TEST(thread_token_test, is_not_reused_by_a_later_thread) {
    std::set<std::uint64_t> seen{thread_token()};
    for (int i = 0; i < 50; ++i) {
        // One after the other: the system gives the second the memory of the first.
        std::uint64_t token = no_thread;
        std::thread([&token] { token = thread_token(); }).join();
        EXPECT_TRUE(seen.insert(token).second);
    }
}

}  // namespace
}  // namespace ioring::detail
