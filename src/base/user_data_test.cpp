// SPDX-License-Identifier: MIT
// user_data_test.cpp - kind, slot and generation go in and come out.
#include "ioring/user_data.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>

#include "ioring/sqe.hpp"

namespace ioring {
namespace {

enum class kind : std::uint8_t { accept, recv, send, last = 0xff };

static_assert(user_data{kind::recv, 2, 3} == 0x0100'0002'0000'0003ULL);
static_assert(user_data{kind::accept} == 0);
static_assert(sizeof(user_data) == sizeof(std::uint64_t));

TEST(user_data_test, parts_come_back_at_their_limits) {
    const auto parts =
        user_data::decode<kind>(user_data{kind::last, user_data::slots_max - 1, 0xffff'fffe});
    EXPECT_EQ(kind::last, parts.kind);
    EXPECT_EQ(0xff'ffffU, parts.slot);
    EXPECT_EQ(0xffff'fffeU, parts.generation);
}

TEST(user_data_test, parts_do_not_touch_each_other) {
    EXPECT_EQ(0xff00'0000'0000'0000ULL, (user_data{kind::last, 0, 0}));
    EXPECT_EQ(0x00ff'ffff'0000'0000ULL, (user_data{kind::accept, 0xff'ffff, 0}));
    EXPECT_EQ(0x0000'0000'ffff'ffffULL, (user_data{kind::accept, 0, 0xffff'ffff}));
}

TEST(user_data_test, any_parts_come_back) {
    std::mt19937_64 random{20'240'917};
    for (int i = 0; i < 100'000; ++i) {
        const std::uint64_t value = random();
        if (value == reserved_user_data) continue;
        const auto parts = user_data::decode<kind>(value);
        ASSERT_EQ(value, (user_data{parts.kind, parts.slot, parts.generation})) << i;
    }
}

TEST(user_data_test, the_kind_may_be_a_plain_number) {
    EXPECT_EQ(7, user_data::decode<int>(user_data{7, 1, 2}).kind);
}

#if !defined(NDEBUG) && defined(GTEST_HAS_DEATH_TEST)
TEST(user_data_death_test, parts_that_do_not_fit_are_a_bug) {
    EXPECT_DEATH((void)user_data(256), "");
    EXPECT_DEATH((void)user_data(kind::recv, user_data::slots_max), "");
    EXPECT_DEATH((void)user_data(kind::last, user_data::slots_max - 1, 0xffff'ffff), "");
}
#endif

}  // namespace
}  // namespace ioring
