// SPDX-License-Identifier: MIT
// fit_test.cpp - the sums of connections and limits, at their edges.
#include "doctor/fit.hpp"

#include <gtest/gtest.h>

#include <random>

namespace doctor {
namespace {

const price* find(const std::vector<price>& all, limit_kind kind) {
    for (const price& each : all) {
        if (each.kind == kind) return &each;
    }
    return nullptr;
}

std::uint64_t fits(const manner& how, const allowances& allowed) {
    return prices_of(how, allowed).front().connections();
}

TEST(fit, a_descriptor_limit_leaves_room_for_what_is_open_beside_the_connections) {
    const auto all = prices_of({}, {.descriptors = 20'000});
    EXPECT_EQ(limit_kind::descriptors, all.front().kind);
    EXPECT_EQ(19'968U, all.front().connections());
    EXPECT_EQ(20'000U, all.front().needed(19'968));
    EXPECT_EQ(0U, fits({}, {.descriptors = 32}));
    EXPECT_EQ(1U, fits({}, {.descriptors = 33}));
    EXPECT_EQ(0U, fits({}, {.descriptors = 0}));
}

TEST(fit, a_mirrored_buffer_costs_a_mapping_and_a_slab_one_more) {
    // 65,530 less 256: 253 slabs of 257 are 65,021, and 253 are left for part of one.
    const auto all = prices_of({}, {.mappings = 65'530});
    EXPECT_EQ(limit_kind::mappings, all.front().kind);
    EXPECT_EQ(253U * 256 + 252, all.front().connections());
    EXPECT_EQ(65'530U, all.front().needed(253 * 256 + 252));
    EXPECT_EQ(256U + 257, all.front().needed(256));
    EXPECT_EQ(256U + 259, all.front().needed(257));
    EXPECT_EQ(0U, fits({}, {.mappings = 257}));  // A slab's own mapping, and none for a buffer.
    EXPECT_EQ(1U, fits({}, {.mappings = 258}));
    EXPECT_EQ(256U, fits({}, {.mappings = 513}));
    EXPECT_EQ(256U, fits({}, {.mappings = 514}));
    EXPECT_EQ(257U, fits({}, {.mappings = 515}));
}

TEST(fit, shared_chunks_take_no_mapping_for_a_connection) {
    const auto all = prices_of({.strategy = strategy_kind::shared_pool}, {.mappings = 300});
    EXPECT_EQ(nullptr, find(all, limit_kind::mappings));
    EXPECT_EQ(limit_kind::ring_sockets, all.front().kind);
}

TEST(fit, memory_holds_every_buffer_full) {
    constexpr std::uint64_t mib = 1U << 20U;
    EXPECT_EQ(16U, fits({.buffer_bytes = 65'536}, {.memory_bytes = 17 * mib}));
    EXPECT_EQ(0U, fits({.buffer_bytes = 65'536}, {.memory_bytes = 16 * mib}));
    // The records of a private group are a page more.
    EXPECT_EQ(15U, fits({strategy_kind::own_ring_multishot, 65'536}, {.memory_bytes = 17 * mib}));
    // 256 chunks of 64 KiB, and a KiB each.
    EXPECT_EQ(1024U, fits({strategy_kind::shared_pool, 65'536}, {.memory_bytes = 33 * mib}));
    EXPECT_EQ(0U, fits({strategy_kind::shared_pool, 65'536}, {.memory_bytes = 20 * mib}));
}

TEST(fit, addresses_hold_every_buffer_twice) {
    constexpr std::uint64_t mib = 1U << 20U;
    EXPECT_EQ(8U, fits({.buffer_bytes = 65'536}, {.address_bytes = 65 * mib}));
}

TEST(fit, the_library_s_own_limits_bind_where_the_system_has_none) {
    EXPECT_EQ(limit_kind::pool_buffers, prices_of({}, {}).front().kind);
    EXPECT_EQ(limit_kind::buffer_groups,
              prices_of({strategy_kind::own_ring_multishot, 4096}, {}).front().kind);
    EXPECT_EQ(65'536U, fits({strategy_kind::own_ring_multishot, 4096}, {}));
    EXPECT_EQ(limit_kind::ring_sockets,
              prices_of({strategy_kind::shared_pool, 4096}, {}).front().kind);
}

TEST(fit, the_limit_that_binds_first_comes_first) {
    const auto all =
        prices_of({}, {.descriptors = 1000, .mappings = 500, .memory_bytes = 1U << 30U});
    for (std::size_t i = 1; i < all.size(); ++i) {
        EXPECT_LE(all[i - 1].connections(), all[i].connections());
    }
    EXPECT_EQ(limit_kind::mappings, all.front().kind);
}

TEST(fit, numbers_too_large_for_64_bits_do_not_wrap) {
    const manner huge{strategy_kind::own_ring, unlimited / 2};
    const auto all = prices_of(huge, {.memory_bytes = unlimited - 1});
    EXPECT_EQ(unlimited, find(all, limit_kind::memory)->needed(1'000'000));
    EXPECT_EQ(0U, fits({strategy_kind::shared_pool, unlimited / 2}, {.memory_bytes = 1U << 30U}));
}

TEST(fit, what_fits_needs_no_more_than_is_allowed_and_one_more_does) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 random{seed};
    const auto up_to = [&random](std::uint64_t max) { return random() % max; };
    for (int round = 0; round < 20'000; ++round) {
        const price one{.kind = limit_kind::mappings,
                        .allowed = up_to(1'000'000),
                        .fixed = up_to(1000),
                        .each = 1 + up_to(1000),
                        .pack = up_to(3),
                        .pack_size = 1 + up_to(300)};
        const std::uint64_t count = one.connections();
        if (count > 0) {
            ASSERT_LE(one.needed(count), one.allowed) << round;
        }
        ASSERT_GT(one.needed(count + 1), one.allowed) << round;
    }
}

}  // namespace
}  // namespace doctor
