// SPDX-License-Identifier: MIT
// mirror_map_windows_test.cpp - mirrored memory in both of Windows' ways, the newer one over calls
// that only keep books, because not every system here has it.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <vector>

#include "platform/mirror_map.hpp"
#include "platform/mirror_map_os.hpp"
#include "platform/mirror_views_windows.hpp"

namespace ioring::platform {
namespace {

const std::size_t page = mirror_map::granularity();

class mirror_way : public ::testing::TestWithParam<mirror_function> {};
INSTANTIATE_TEST_SUITE_P(windows, mirror_way,
                         ::testing::Values(&map_mirrors, &map_mirrors_by_retry),
                         [](const auto& way) { return way.index == 0 ? "native" : "retry"; });

TEST_P(mirror_way, every_byte_of_one_view_is_that_of_the_other) {
    constexpr std::size_t count = 3;
    mirror_map map;
    std::string why;
    ASSERT_FALSE(mirror_map_factory::create(GetParam(), page, count, {}, map, &why)) << why;
    for (std::size_t buffer = 0; buffer < count; ++buffer) {
        std::byte* const base = map.base(buffer);
        EXPECT_EQ(std::byte{0}, base[page]);
        std::memcpy(base + page - 3, "abcdef", 6);
        EXPECT_EQ(0, std::memcmp(base + 2 * page - 3, "abc", 3));
        EXPECT_EQ(0, std::memcmp(base, "def", 3));
        base[page + 100] = static_cast<std::byte>(buffer + 1);
    }
    for (std::size_t buffer = 0; buffer < count; ++buffer) {
        EXPECT_EQ(static_cast<std::byte>(buffer + 1), map.base(buffer)[100]);
    }
}

TEST_P(mirror_way, hundreds_come_and_go) {
    std::vector<mirror_map> maps(300);
    for (mirror_map& each : maps) {
        ASSERT_FALSE(mirror_map_factory::create(GetParam(), page, 2, {}, each, nullptr));
        each.base(1)[page] = std::byte{7};
    }
    for (const mirror_map& each : maps) EXPECT_EQ(std::byte{7}, each.base(1)[0]);
}

TEST(mirror_map_windows, a_size_that_is_no_multiple_of_the_granularity_is_refused) {
    mirror_map map;
    EXPECT_EQ(std::errc::invalid_argument, mirror_map::create(4096, 1, {}, map));
    EXPECT_EQ(0u, page % 65'536);
}

// Books of what is reserved and mapped where, in place of the system.
struct books {
    std::map<std::size_t, std::size_t> placeholders;  // Bytes by address.
    std::map<std::size_t, std::size_t> views;
    int maps_until_failure = -1;
    int map_calls = 0;
    int reserve_calls = 0;
};
books* open_books = nullptr;

std::size_t number_of(void* at) { return reinterpret_cast<std::size_t>(at); }

void* reserve_in_books(std::size_t bytes, bool) noexcept {
    constexpr std::size_t first = 1U << 20U;
    const std::size_t at = first + static_cast<std::size_t>(open_books->reserve_calls++) * bytes;
    open_books->placeholders[at] = bytes;
    return reinterpret_cast<void*>(at);  // NOLINT(performance-no-int-to-ptr)
}

bool split_in_books(void* at, std::size_t bytes) noexcept {
    const auto found = open_books->placeholders.find(number_of(at));
    if (found == open_books->placeholders.end() || found->second <= bytes) return false;
    open_books->placeholders[number_of(at) + bytes] = found->second - bytes;
    found->second = bytes;
    return true;
}

bool fails() { return open_books->map_calls++ == open_books->maps_until_failure; }

void* map_over_in_books(void*, std::size_t, void* at, std::size_t bytes) noexcept {
    const auto found = open_books->placeholders.find(number_of(at));
    const bool fits = found != open_books->placeholders.end() && found->second == bytes;
    if (!fits || fails()) return nullptr;
    open_books->placeholders.erase(found);
    open_books->views[number_of(at)] = bytes;
    return at;
}

void* map_at_in_books(void*, std::size_t, void* at, std::size_t bytes) noexcept {
    if (open_books->placeholders.count(number_of(at)) != 0 || fails()) return nullptr;
    open_books->views[number_of(at)] = bytes;
    return at;
}

bool unmap_in_books(void* at) noexcept { return open_books->views.erase(number_of(at)) == 1; }

bool release_in_books(void* at) noexcept {
    return open_books->placeholders.erase(number_of(at)) == 1;
}

class mirror_books : public ::testing::Test {
protected:
    mirror_books() { open_books = &books_; }
    ~mirror_books() override { open_books = nullptr; }

    books books_;
    std::byte* data_ = nullptr;
    static constexpr mirror_request request{.buffer_bytes = 65'536, .count = 3};
    const view_functions calls_{.reserve = &reserve_in_books,
                                .split = &split_in_books,
                                .map_over = &map_over_in_books,
                                .map_at = &map_at_in_books,
                                .unmap = &unmap_in_books,
                                .release = &release_in_books};
};

TEST_F(mirror_books, placeholders_are_cut_and_replaced_without_a_gap) {
    ASSERT_EQ(0, map_by_placeholders(calls_, nullptr, request, data_));
    EXPECT_TRUE(books_.placeholders.empty());
    ASSERT_EQ(request.count + 1, books_.views.size());
    std::size_t at = number_of(data_);
    for (const auto& [begin, bytes] : books_.views) {
        EXPECT_EQ(at, begin);
        at += bytes;
    }
    EXPECT_EQ(request.mapped_bytes(), at - number_of(data_));
}

TEST_F(mirror_books, a_failure_at_any_view_leaves_nothing_behind) {
    for (int failing = 0; failing <= static_cast<int>(request.count); ++failing) {
        books_ = {};
        books_.maps_until_failure = failing;
        EXPECT_NE(0, map_by_placeholders(calls_, nullptr, request, data_)) << failing;
        EXPECT_TRUE(books_.placeholders.empty()) << failing;
        EXPECT_TRUE(books_.views.empty()) << failing;
    }
}

TEST_F(mirror_books, a_place_that_somebody_took_is_left_and_tried_elsewhere) {
    books_.maps_until_failure = 2;
    ASSERT_EQ(0, map_by_retry(calls_, nullptr, request, data_));
    EXPECT_EQ(2, books_.reserve_calls);
    EXPECT_EQ(request.count + 1, books_.views.size());
    EXPECT_EQ(number_of(data_), books_.views.begin()->first);
}

TEST_F(mirror_books, newer_calls_that_refuse_are_as_if_they_were_not_there) {
    view_functions refusing = calls_;
    EXPECT_TRUE(has_placeholders(refusing));
    refusing.reserve = [](std::size_t, bool) noexcept -> void* { return nullptr; };
    EXPECT_FALSE(has_placeholders(refusing));
    refusing = calls_;
    refusing.map_over = nullptr;
    EXPECT_FALSE(has_placeholders(refusing));
}

}  // namespace
}  // namespace ioring::platform
