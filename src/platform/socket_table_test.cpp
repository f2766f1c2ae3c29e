// SPDX-License-Identifier: MIT
// socket_table_test.cpp - numbers for handles: whole handles, stale numbers, many threads.
#include "platform/socket_table.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

namespace ioring::platform {
namespace {

using kind = socket_table::kind;

TEST(socket_table, a_handle_of_all_bits_comes_back_whole) {
    const std::uintptr_t wide = ~std::uintptr_t{0} - 5;
    const std::int32_t slot = socket_table::add(wide);
    ASSERT_LE(0, slot);
    EXPECT_EQ(wide, socket_table::find(slot).handle);
    EXPECT_EQ(kind::socket, socket_table::find(slot).what);
    EXPECT_EQ(wide, socket_table::remove(slot).handle);
}

TEST(socket_table, what_is_no_number_is_nobodys) {
    for (const std::int32_t slot : {-1, 0x7fff'ffff, std::int32_t{socket_table::slots_max}}) {
        EXPECT_EQ(kind::none, socket_table::find(slot).what) << slot;
        EXPECT_EQ(kind::none, socket_table::remove(slot).what) << slot;
    }
}

TEST(socket_table, a_number_given_out_again_has_another_generation) {
    const std::int32_t slot = socket_table::add(1);
    const std::uint32_t before = socket_table::find(slot).generation;
    EXPECT_EQ(kind::socket, socket_table::remove(slot).what);
    EXPECT_EQ(kind::none, socket_table::find(slot).what);
    EXPECT_EQ(kind::none, socket_table::remove(slot).what);
    std::vector<std::int32_t> others;
    while (others.empty() || others.back() != slot) {
        others.push_back(socket_table::add(2, kind::other));
        ASSERT_GE(socket_table::slots_max, others.size());
    }
    EXPECT_NE(before, socket_table::find(slot).generation);
    EXPECT_EQ(kind::other, socket_table::find(slot).what);
    for (const std::int32_t each : others) socket_table::remove(each);
}

TEST(socket_table, threads_get_different_numbers) {
    constexpr int threads_count = 4;
    constexpr int each_count = 2000;
    std::vector<std::vector<std::int32_t>> got(threads_count);
    std::vector<std::thread> threads;
    for (std::vector<std::int32_t>& mine : got) {
        threads.emplace_back([&mine] {
            for (int n = 0; n < each_count; ++n) {
                const auto handle = static_cast<std::uintptr_t>(n) + 1;
                mine.push_back(socket_table::add(handle));
                EXPECT_EQ(handle, socket_table::find(mine.back()).handle);
                if (n % 3 == 0) {
                    socket_table::remove(mine.back());
                    mine.pop_back();
                }
            }
        });
    }
    for (std::thread& each : threads) each.join();
    std::set<std::int32_t> all;
    std::size_t count = 0;
    for (const std::vector<std::int32_t>& mine : got) {
        count += mine.size();
        all.insert(mine.begin(), mine.end());
    }
    EXPECT_EQ(count, all.size());
    for (const std::int32_t slot : all) socket_table::remove(slot);
}

}  // namespace
}  // namespace ioring::platform
