// SPDX-License-Identifier: MIT
// lent_memory_asan_linux_test.cpp - which bytes AddressSanitizer guards.
#include "ioring/detail/lent_memory.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <string>

#include "support/use_after_lend.hpp"

namespace ioring::detail {
namespace {

class lent_memory_test : public testing::Test {
protected:
    ~lent_memory_test() override { reclaim(memory_); }

    // One letter for each byte: "." the program's, "#" lent.
    [[nodiscard]] std::string picture() const {
        std::string text;
        for (const std::byte& each : memory_) text += is_poisoned(each) ? '#' : '.';
        return text;
    }

    alignas(8) std::array<std::byte, 32> memory_{};
    std::span<std::byte> all_{memory_};
};

TEST_F(lent_memory_test, is_all_the_programs_at_first_and_when_it_is_reclaimed) {
    EXPECT_EQ(std::string(32, '.'), picture());
    lend(memory_);
    EXPECT_EQ(std::string(32, '#'), picture());
    reclaim(memory_);
    EXPECT_EQ(std::string(32, '.'), picture());
}

TEST_F(lent_memory_test, spares_the_programs_bytes_on_both_sides) {
    lend(all_.subspan(3, 18));
    EXPECT_EQ("...#############................", picture());
    lend(all_.subspan(21, 11));
    EXPECT_EQ("...#############.....###########", picture());
}

TEST_F(lent_memory_test, reclaimed_in_the_middle_stays_lent_behind) {
    lend(memory_);
    reclaim(all_.subspan(11, 6));
    EXPECT_EQ("########.........###############", picture());
}

TEST_F(lent_memory_test, mirrored_is_lent_in_both_views) {
    lend_mirrored(memory_, 0, 8);
    EXPECT_EQ("########........########........", picture());
    reclaim_mirrored(memory_, 16, 8);
    EXPECT_EQ(std::string(32, '.'), picture());
}

TEST_F(lent_memory_test, mirrored_wraps_with_its_buffer) {
    lend_mirrored(memory_, 11, 13);
    EXPECT_EQ("########...#############...#####", picture());
    reclaim_mirrored(memory_, 11, 13);
    EXPECT_EQ(std::string(32, '.'), picture());
    lend_mirrored(memory_, 8, 16);
    EXPECT_EQ(std::string(32, '#'), picture());
}

TEST_F(lent_memory_test, a_touch_is_the_end_of_the_program) {
    lend(memory_);
    EXPECT_LENT(tests::read_byte(memory_[0]));
    EXPECT_LENT(tests::write_byte(memory_[31]));
}

}  // namespace
}  // namespace ioring::detail
