// SPDX-License-Identifier: MIT
// test_support_test.cpp - seeds and addresses of this folder's tests, on every system.
#include "platform/test_support.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace ioring::platform::testing {
namespace {

std::uint64_t choose_seed() {
    if (const char* const fixed = std::getenv("IORING_TEST_SEED")) {
        return std::strtoull(fixed, nullptr, 10);
    }
    return std::random_device{}();
}

}  // namespace

random_numbers::random_numbers() : seed_(choose_seed()), engine_(seed_) {}

endpoint address_of(std::string_view text) {
    endpoint address;
    std::string why;
    EXPECT_FALSE(endpoint::parse(text, address, &why)) << why;
    return address;
}

namespace {

TEST(test_support, numbers_stay_below_their_limit) {
    random_numbers random;
    for (int round = 0; round < 1000; ++round) EXPECT_GT(3U, random.below(3)) << random.seed();
}

}  // namespace
}  // namespace ioring::platform::testing
