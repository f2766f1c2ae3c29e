// SPDX-License-Identifier: MIT
// decisions_test.cpp - the dice repeat themselves, and fall as often as they should.
#include "backend/fault/decisions.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace ioring::backends::fault {
namespace {

std::vector<std::uint64_t> happening(std::uint64_t seed, unsigned level, kind which) {
    const decisions dice{seed, intensity_of(level)};
    std::vector<std::uint64_t> numbers;
    for (std::uint64_t number = 0; number < 10'000; ++number) {
        if (dice.happens(which, {.number = number})) numbers.push_back(number);
    }
    return numbers;
}

TEST(decisions_test, a_seed_alone_repeats_all_decisions_in_any_order) {
    const decisions one{7, intensity_of(2)};
    const decisions other{7, intensity_of(2)};
    for (std::uint64_t number = 0; number < 1000; ++number) {
        const subject about{.number = 999 - number, .part = number % 3};
        (void)other.happens(kind::late, {.number = number});  // Leaves nothing behind.
        EXPECT_EQ(one.happens(kind::short_transfer, about),
                  other.happens(kind::short_transfer, about));
        EXPECT_EQ(one.pick(kind::late, about, 100), other.pick(kind::late, about, 100));
    }
}

TEST(decisions_test, other_seeds_kinds_and_parts_decide_otherwise) {
    EXPECT_NE(happening(1, 2, kind::late), happening(2, 2, kind::late));
    EXPECT_NE(happening(1, 2, kind::short_transfer), happening(1, 2, kind::hint_flipped));
    const decisions dice{1, intensity_of(2)};
    int different = 0;
    for (std::uint64_t part = 1; part < 100; ++part) {
        different += dice.pick(kind::late, {.number = 5, .part = part}, 1000) !=
                             dice.pick(kind::late, {.number = 5, .part = 0}, 1000)
                         ? 1
                         : 0;
    }
    EXPECT_GT(different, 90);
}

TEST(decisions_test, each_kind_happens_as_often_as_its_level_says) {
    for (unsigned level = 0; level <= level_max; ++level) {
        for (std::size_t index = 0; index < kinds_count; ++index) {
            const std::uint16_t per_mille = intensity_of(level).per_mille[index];
            const auto which = static_cast<kind>(index);
            const auto happened = static_cast<double>(happening(42, level, which).size());
            // 10,000 throws: six standard deviations are 300 at most.
            EXPECT_NEAR(10.0 * per_mille, happened, per_mille == 0 ? 0 : 300) << to_string(which);
        }
    }
}

TEST(decisions_test, no_level_below_three_costs_a_connection) {
    const auto reset = static_cast<std::size_t>(kind::connection_reset);
    for (unsigned level = 0; level < 3; ++level) {
        EXPECT_EQ(0, intensity_of(level).per_mille[reset]);
    }
    EXPECT_GT(intensity_of(3).per_mille[reset], 0);
}

}  // namespace
}  // namespace ioring::backends::fault
