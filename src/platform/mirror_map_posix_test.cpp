// SPDX-License-Identifier: MIT
// mirror_map_posix_test.cpp - what mirrored memory promises, in every way that this system has.
#include "platform/mirror_map.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "platform/limits.hpp"
#include "platform/mirror_map_os.hpp"
#include "platform/test_support.hpp"

namespace ioring::platform {
namespace {

using testing::open_descriptors;
using testing::random_numbers;
using testing::run_in_child;

const std::size_t page = mirror_map::granularity();

class mirror_by : public ::testing::TestWithParam<mirror_function> {
protected:
    static std::error_code make(std::size_t buffer_bytes, std::size_t count, mirror_map& out,
                                std::string* why = nullptr) {
        return mirror_map_factory::create(GetParam(), buffer_bytes, count, {}, out, why);
    }
};
INSTANTIATE_TEST_SUITE_P(platform, mirror_by, ::testing::Values(&map_mirrors, &map_mirrors_shm),
                         [](const auto& way) { return way.index == 0 ? "native" : "shm"; });

// A byte that tells where it was written.
std::byte mark(std::size_t buffer, std::size_t offset) {
    return static_cast<std::byte>((buffer * 131 + offset * 7 + offset / 251 + 1) & 0xffU);
}

TEST_P(mirror_by, every_byte_of_one_view_is_that_of_the_other) {
    constexpr std::size_t count = 5;
    for (const std::size_t bytes : {page, 3 * page}) {
        mirror_map map;
        std::string why;
        ASSERT_FALSE(make(bytes, count, map, &why)) << why;
        for (std::size_t buffer = 0; buffer < count; ++buffer) {
            std::byte* const base = map.base(buffer);
            // The first half through the first view, the rest through the second.
            for (std::size_t n = 0; n < bytes; ++n) {
                base[n < bytes / 2 ? n : n + bytes] = mark(buffer, n);
            }
        }
        for (std::size_t buffer = 0; buffer < count; ++buffer) {
            const std::byte* const base = map.base(buffer);
            for (std::size_t n = 0; n < bytes; ++n) {
                ASSERT_EQ(mark(buffer, n), base[n]) << "buffer " << buffer << " byte " << n;
                ASSERT_EQ(mark(buffer, n), base[n + bytes]) << "buffer " << buffer << " byte " << n;
            }
        }
    }
}

TEST_P(mirror_by, a_write_across_the_seam_wraps_around) {
    mirror_map map;
    ASSERT_FALSE(make(page, 3, map));
    std::byte* const base = map.base(1);
    std::memcpy(base + page - 3, "abcdef", 6);
    EXPECT_EQ(0, std::memcmp(base + 2 * page - 3, "abc", 3));
    EXPECT_EQ(0, std::memcmp(base, "def", 3));
    EXPECT_EQ(std::byte{0}, map.base(0)[0]);  // The neighbours have none of it.
    EXPECT_EQ(std::byte{0}, map.base(2)[0]);
    EXPECT_EQ(std::byte{0}, map.base(0)[2 * page - 1]);
}

TEST_P(mirror_by, random_writes_are_those_to_a_plain_circle) {
    random_numbers random;
    SCOPED_TRACE("IORING_TEST_SEED=" + std::to_string(random.seed()));
    constexpr std::size_t count = 4;
    mirror_map map;
    ASSERT_FALSE(make(page, count, map));
    std::vector<std::vector<std::byte>> model(count, std::vector<std::byte>(page));
    for (int round = 0; round < 2000; ++round) {
        const std::size_t buffer = random.below(count);
        const std::size_t at = random.below(page);
        const std::size_t length = random.below(page + 1);
        const auto value = static_cast<std::byte>(random.below(256));
        std::fill_n(map.base(buffer) + at, length, value);
        for (std::size_t n = 0; n < length; ++n) model[buffer][(at + n) % page] = value;
    }
    for (std::size_t buffer = 0; buffer < count; ++buffer) {
        for (const std::size_t view : {std::size_t{0}, page}) {
            EXPECT_TRUE(
                std::equal(model[buffer].begin(), model[buffer].end(), map.base(buffer) + view));
        }
    }
}

TEST_P(mirror_by, new_memory_is_zero_and_says_what_it_is) {
    mirror_map map;
    ASSERT_FALSE(make(2 * page, 3, map));
    EXPECT_EQ(2 * page, map.buffer_bytes());
    EXPECT_EQ(3u, map.count());
    EXPECT_EQ(12 * page, map.mapped_bytes());
    EXPECT_EQ(map.data(), map.base(0));
    EXPECT_EQ(map.data() + 4 * page, map.base(1));
    EXPECT_FALSE(map.uses_huge_pages());
    EXPECT_EQ(static_cast<std::ptrdiff_t>(map.mapped_bytes()),
              std::count(map.data(), map.data() + map.mapped_bytes(), std::byte{0}));
}

TEST_P(mirror_by, one_buffer_alone_is_mirrored_too) {
    mirror_map map;
    ASSERT_FALSE(make(page, 1, map));
    map.base(0)[page] = std::byte{9};
    EXPECT_EQ(std::byte{9}, map.base(0)[0]);
}

TEST_P(mirror_by, a_wrong_size_is_an_error_that_names_it_and_the_granularity) {
    for (const std::size_t bytes :
         {std::size_t{0}, std::size_t{1}, page - 1, page + 1, page / 2, 10 * page + 100}) {
        mirror_map map;
        std::string why;
        EXPECT_EQ(std::errc::invalid_argument, make(bytes, 1, map, &why));
        EXPECT_NE(std::string::npos, why.find(' ' + std::to_string(bytes) + ' ')) << why;
        EXPECT_NE(std::string::npos, why.find(' ' + std::to_string(page) + ' ')) << why;
        EXPECT_EQ(0u, map.count());
    }
}

TEST_P(mirror_by, numbers_that_overflow_are_errors) {
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
    const std::size_t aligned = most / page * page;
    const std::vector<std::pair<std::size_t, std::size_t>> too_many = {
        {page, most},
        {page, most / page},
        {page, most / page / 2 + 1},
        {page, most / page / 4 + 1},
        {aligned, 1},
        {aligned, most},
        {most / 4 / page * page + page, 1},
        {most / 8 / page * page + page, 2},
    };
    for (const auto& [bytes, count] : too_many) {
        mirror_map map;
        std::string why;
        EXPECT_EQ(std::errc::invalid_argument, make(bytes, count, map, &why));
        EXPECT_NE(std::string::npos, why.find("exceed the address space")) << why;
        EXPECT_EQ(0u, map.count());
    }
}

TEST_P(mirror_by, no_buffers_at_all_are_an_error) {
    mirror_map map;
    std::string why;
    EXPECT_EQ(std::errc::invalid_argument, make(page, 0, map, &why));
    EXPECT_NE(std::string::npos, why.find("at least one")) << why;
}

TEST_P(mirror_by, more_memory_than_there_are_addresses_is_an_error_with_a_text) {
    const int descriptors = open_descriptors();
    mirror_map map;
    std::string why;
    const std::size_t huge = (std::size_t{1} << 61U);
    EXPECT_TRUE(make(huge, 1, map, &why));
    EXPECT_NE(std::string::npos, why.find(std::to_string(huge))) << why;
    EXPECT_EQ(0u, map.count());
    EXPECT_EQ(descriptors, open_descriptors());
}

TEST_P(mirror_by, no_descriptor_stays_open) {
    const int before = open_descriptors();
    mirror_map map;
    ASSERT_FALSE(make(page, 100, map));
    EXPECT_EQ(before, open_descriptors());
}

TEST_P(mirror_by, too_few_descriptors_are_an_error_that_changes_nothing) {
    EXPECT_EQ(0, run_in_child([] {
                  mirror_map map;
                  if (make(page, 2, map)) return 1;
                  const std::byte* const data = map.data();
                  testing::use_up_descriptors();
                  std::string why;
                  if (make(page, 3, map, &why) != std::errc::too_many_files_open) return 2;
                  if (why.find("ulimit -n") == std::string::npos) return 3;
                  return map.data() == data && map.count() == 2 ? 0 : 4;
              }));
}

bool is_mapped(const std::byte* data) {
    return ::msync(const_cast<std::byte*>(data), page, MS_ASYNC) == 0;
}

TEST_P(mirror_by, moving_moves_the_mapping_and_the_end_unmaps_it) {
    const std::byte* data = nullptr;
    {
        mirror_map map;
        ASSERT_FALSE(make(page, 2, map));
        data = map.data();
        map.base(1)[0] = std::byte{5};
        mirror_map moved = std::move(map);
        EXPECT_EQ(0u,
                  map.count());  // NOLINT(bugprone-use-after-move): what a move leaves is promised.
        EXPECT_EQ(nullptr, map.data());
        EXPECT_EQ(std::byte{5}, moved.base(1)[page]);

        mirror_map other;
        ASSERT_FALSE(make(page, 1, other));
        const std::byte* const replaced = other.data();
        other = std::move(moved);
        EXPECT_FALSE(is_mapped(replaced));
        EXPECT_EQ(std::byte{5}, other.base(1)[page]);
        EXPECT_TRUE(is_mapped(data));
    }
    for (std::size_t view = 0; view < 4; ++view) EXPECT_FALSE(is_mapped(data + view * page));
}

TEST_P(mirror_by, a_forked_child_has_none_of_it) {
    mirror_map map;
    ASSERT_FALSE(make(page, 3, map));
    map.base(2)[0] = std::byte{1};
    EXPECT_EQ(0, run_in_child([&map] {
                  for (std::size_t view = 0; view < 6; ++view) {
                      if (is_mapped(map.data() + view * page) || errno != ENOMEM) return 1;
                  }
                  return 0;
              }));
    EXPECT_EQ(std::byte{1}, map.base(2)[page]);
}

TEST_P(mirror_by, destroying_it_in_a_forked_child_spares_what_lies_there_now) {
    mirror_map map;
    ASSERT_FALSE(make(page, 2, map));
    EXPECT_EQ(0, run_in_child([&map] {
                  void* const theirs =
                      ::mmap(map.data(), map.mapped_bytes(), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANON | MAP_FIXED, -1, 0);
                  if (theirs == MAP_FAILED) return 1;
                  map = mirror_map{};
                  return is_mapped(static_cast<std::byte*>(theirs)) ? 0 : 2;
              }));
    map.base(0)[0] = std::byte{1};
    EXPECT_EQ(std::byte{1}, map.base(0)[page]);
}

TEST(mirror_map, granularity_is_a_page_or_a_huge_page) {
    EXPECT_LE(4096u, page);
    EXPECT_EQ(0u, page & (page - 1));
    EXPECT_EQ(0u, mirror_map::granularity(/*huge=*/true) % page);
}

TEST(mirror_map, a_size_that_is_no_multiple_of_a_huge_page_is_an_error_when_those_are_asked_for) {
    const std::size_t huge_page = mirror_map::granularity(/*huge=*/true);
    if (huge_page > page) {
        mirror_map map;
        std::string why;
        EXPECT_EQ(std::errc::invalid_argument,
                  mirror_map::create(page, 1, {.huge_pages = true}, map, &why));
        EXPECT_NE(std::string::npos, why.find(std::to_string(huge_page))) << why;
    }
}

TEST(mirror_map, asking_for_huge_pages_gives_memory_that_works_in_any_case) {
    const std::size_t bytes = mirror_map::granularity(/*huge=*/true);
    const int descriptors = open_descriptors();
    mirror_map map;
    std::string why;
    ASSERT_FALSE(mirror_map::create(bytes, 2, {.huge_pages = true}, map, &why)) << why;
    std::memcpy(map.base(1) + bytes - 1, "xy", 2);
    EXPECT_EQ(std::byte{'y'}, map.base(1)[0]);
    EXPECT_EQ(std::byte{'x'}, map.base(1)[2 * bytes - 1]);
    EXPECT_EQ(descriptors, open_descriptors());
}

}  // namespace
}  // namespace ioring::platform
