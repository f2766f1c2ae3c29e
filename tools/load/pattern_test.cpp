// SPDX-License-Identifier: MIT
// pattern_test.cpp - that the content does not depend on how it is cut, and what is found in it.
#include "pattern.hpp"

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace load {
namespace {

std::vector<std::byte> content(const pattern& p, std::uint64_t key, std::uint64_t position,
                               std::size_t bytes) {
    std::vector<std::byte> out(bytes);
    p.fill(key, position, out);
    return out;
}

TEST(pattern, a_stream_is_the_same_however_it_is_cut) {
    const pattern p{1};
    const std::uint64_t key = p.stream_key(7);
    const auto whole = content(p, key, 0, 70'000);
    std::mt19937_64 random{42};
    for (int round = 0; round < 2'000; ++round) {
        const std::size_t position = random() % whole.size();
        const std::size_t bytes = random() % std::min<std::size_t>(whole.size() - position, 9'000);
        const std::span<const std::byte> expected{whole.data() + position, bytes};
        EXPECT_TRUE(std::ranges::equal(expected, content(p, key, position, bytes)))
            << position << " " << bytes;
        EXPECT_EQ(bytes, p.find_mismatch(key, position, expected)) << position << " " << bytes;
    }
}

TEST(pattern, nothing_outside_of_the_span_is_written) {
    const pattern p{1};
    for (std::size_t bytes = 0; bytes < 200; ++bytes) {
        std::vector<std::byte> out(bytes + 16, std::byte{0xee});
        p.fill(p.stream_key(0), 4'090, {out.data() + 8, bytes});
        for (std::size_t i = 0; i < 8; ++i) {
            ASSERT_EQ(std::byte{0xee}, out[i]);
            ASSERT_EQ(std::byte{0xee}, out[out.size() - 1 - i]);
        }
    }
}

TEST(pattern, every_single_wrong_byte_is_found_at_its_place) {
    const pattern p{3};
    const std::uint64_t key = p.stream_key(1);
    for (const std::uint64_t position : {0ULL, 3ULL, 4'095ULL, 123'456'789'012ULL}) {
        for (const std::size_t bytes : {std::size_t{1}, std::size_t{64}, std::size_t{301}}) {
            auto copy = content(p, key, position, bytes);
            for (std::size_t i = 0; i < bytes; ++i) {
                copy[i] ^= std::byte{0x10};
                ASSERT_EQ(i, p.find_mismatch(key, position, copy));
                copy[i] ^= std::byte{0x10};
            }
            ASSERT_EQ(bytes, p.find_mismatch(key, position, copy));
        }
    }
}

// The four ways in which a server mixes chunks up, at random places, chunks of 8 bytes and more.
TEST(pattern, lost_doubled_swapped_and_foreign_chunks_are_found) {
    const pattern p{std::random_device{}()};
    const std::uint64_t key = p.stream_key(0);
    const auto right = content(p, key, 0, 40'000);
    std::mt19937_64 random{99};
    for (int round = 0; round < 4'000; ++round) {
        const std::size_t chunk = 8 + random() % 5'000;
        const std::size_t at = random() % (right.size() - 2 * chunk);
        const auto from = right.begin() + static_cast<std::ptrdiff_t>(at);
        const auto to = from + static_cast<std::ptrdiff_t>(chunk);
        auto wrong = right;
        const auto hole = wrong.begin() + static_cast<std::ptrdiff_t>(at);
        switch (round % 4) {
            case 0: wrong.erase(hole, hole + static_cast<std::ptrdiff_t>(chunk)); break;
            case 1: wrong.insert(hole, from, to); break;
            case 2: {
                // With a chunk that lies whole blocks away, where the table alone is the same.
                const std::size_t other = (at + chunk + 4'095) / 4'096 * 4'096 + at % 4'096;
                if (other + chunk > right.size()) continue;
                std::swap_ranges(hole, hole + static_cast<std::ptrdiff_t>(chunk),
                                 wrong.begin() + static_cast<std::ptrdiff_t>(other));
                break;
            }
            default: {
                const auto foreign =
                    content(p, p.stream_key(static_cast<std::uint32_t>(1 + random() % 50)), at,
                            chunk);  // At the same place.
                std::ranges::copy(foreign, hole);
            }
        }
        const std::size_t found = p.find_mismatch(key, 0, wrong);
        EXPECT_GE(found, at) << "round " << round;
        EXPECT_LT(found, at + chunk + 8) << "round " << round << " chunk " << chunk;
    }
}

TEST(pattern, streams_and_seeds_differ) {
    const pattern one{1};
    const pattern two{2};
    EXPECT_NE(one.stream_key(0), one.stream_key(1));
    EXPECT_NE(content(one, one.stream_key(0), 0, 64), content(two, two.stream_key(0), 0, 64));
    EXPECT_NE(content(one, one.stream_key(0), 0, 64), content(one, one.stream_key(1), 0, 64));
    const pattern again{1};
    EXPECT_EQ(content(one, one.stream_key(5), 9, 64), content(again, again.stream_key(5), 9, 64));
}

TEST(pattern, bytes_are_spread_evenly) {
    const pattern p{5};
    std::array<int, 256> counts{};
    for (const std::byte value : content(p, p.stream_key(0), 0, 1 << 20)) {
        ++counts[std::to_integer<std::size_t>(value)];
    }
    // 4096 expected, standard deviation 64.
    EXPECT_GT(*std::ranges::min_element(counts), 3'400);
    EXPECT_LT(*std::ranges::max_element(counts), 4'800);
}

}  // namespace
}  // namespace load
