// SPDX-License-Identifier: MIT
// mirror_map_linux_test.cpp - what mirrored memory costs, read from /proc.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>

#include "platform/limits.hpp"
#include "platform/mirror_map_os.hpp"
#include "platform/mirror_views_posix.hpp"
#include "platform/test_support.hpp"

namespace ioring::platform {
namespace {

using testing::open_descriptors;

const std::size_t page = mirror_map::granularity();

// Lines of /proc/self/maps that contain `part`.
std::size_t mappings(std::string_view part = "") {
    std::ifstream maps{"/proc/self/maps"};
    std::size_t lines = 0;
    for (std::string line; std::getline(maps, line);) {
        if (line.find(part) != line.npos) ++lines;
    }
    return lines;
}

// The number after `key` in a file of lines such as "VmSize:   1234 kB".
std::uint64_t number_in(const char* file, std::string_view key) {
    std::ifstream status{file};
    for (std::string line; std::getline(status, line);) {
        if (line.rfind(key, 0) == 0) return std::stoull(line.substr(key.size()));
    }
    return 0;
}

TEST(mirror_map_cost, of_256_buffers_is_257_mappings_and_no_descriptor) {
    const std::size_t before = mappings();
    const int descriptors = open_descriptors();
    {
        mirror_map map;
        ASSERT_FALSE(mirror_map::create(page, 256, {}, map));
        EXPECT_EQ(257u, mappings("memfd:ioring-mirror"));
        EXPECT_GE(before + 257 + 5, mappings());
        EXPECT_EQ(descriptors, open_descriptors());
    }
    EXPECT_EQ(0u, mappings("memfd:ioring-mirror"));
}

TEST(mirror_map_cost, in_memory_is_nothing_until_it_is_touched_and_then_counted_once) {
    constexpr std::size_t bytes = std::size_t{1} << 20U;
    constexpr std::size_t count = 16;
    const std::uint64_t before_kib = number_in("/proc/self/status", "RssShmem:");
    mirror_map map;
    ASSERT_FALSE(mirror_map::create(bytes, count, {}, map));
    EXPECT_GE(before_kib + 64, number_in("/proc/self/status", "RssShmem:"));
    for (std::size_t n = 0; n < bytes; n += page) map.base(3)[n] = std::byte{1};
    const std::uint64_t touched_kib = number_in("/proc/self/status", "RssShmem:");
    EXPECT_LE(before_kib + bytes / 1024, touched_kib);
    EXPECT_GE(before_kib + bytes / 1024 + 64, touched_kib);
}

TEST(mirror_map_cost, huge_pages_are_used_exactly_when_enough_are_free) {
    const std::size_t bytes = mirror_map::granularity(/*huge=*/true);
    const std::uint64_t free = number_in("/proc/meminfo", "HugePages_Free:");
    const std::uint64_t reserved = number_in("/proc/meminfo", "HugePages_Rsvd:");
    const bool enough = bytes > page && free - reserved >= 2;
    mirror_map map;
    ASSERT_FALSE(mirror_map::create(bytes, 2, {.huge_pages = true}, map));
    EXPECT_EQ(enough, map.uses_huge_pages());
}

void expect_nothing_left(std::size_t mappings_before, std::uint64_t size_kib_before,
                         int descriptors_before) {
    EXPECT_EQ(0u, mappings("memfd:ioring-mirror") + mappings("/dev/shm/ioring-"));
    EXPECT_GE(mappings_before + 8, mappings());
    EXPECT_GE(size_kib_before + 4096, number_in("/proc/self/status", "VmSize:"));
    EXPECT_EQ(descriptors_before, open_descriptors());
}

TEST(mirror_map_failure, by_the_number_of_mappings_names_the_limit_and_leaves_nothing) {
    const std::uint64_t limit = mapping_limit();
    // Some systems allow a thousand million, which would take hours to use up.
    if (limit > 1'100'000) GTEST_SKIP() << "vm.max_map_count is too high to be reached: " << limit;
    const std::size_t before = mappings();
    const std::uint64_t size_kib = number_in("/proc/self/status", "VmSize:");
    const int descriptors = open_descriptors();
    for (const mirror_function way : {&map_mirrors, &map_mirrors_shm}) {
        mirror_map map;
        std::string why;
        EXPECT_EQ(std::errc::not_enough_memory,
                  mirror_map_factory::create(way, page, limit, {}, map, &why));
        EXPECT_NE(std::string::npos, why.find("vm.max_map_count = " + std::to_string(limit)))
            << why;
        EXPECT_EQ(0u, map.count());
        expect_nothing_left(before, size_kib, descriptors);
    }
}

TEST(mirror_map_failure, of_any_view_is_reported) {
    const std::size_t size = 6 * page;
    mirror_map map;  // Three buffers' worth of addresses to map over.
    ASSERT_FALSE(mirror_map::create(page, 3, {}, map));
    ASSERT_EQ(size, map.mapped_bytes());
    EXPECT_EQ(EBADF, map_views(-1, {page, 3, false}, map.data()));
}

TEST(mirror_map_failure, tells_what_it_could_not_do_for_how_many_buffers) {
    std::string why;
    EXPECT_EQ(std::errc::not_enough_memory, mirror_error(ENOMEM, "map", {4096, 12, false}, &why));
    EXPECT_EQ(0u,
              why.find("cannot map 12 mirrored buffers of 4096 bytes: cannot allocate memory; "
                       "they need 13 mappings, of which a process may have vm.max_map_count = "))
        << why;
}

}  // namespace
}  // namespace ioring::platform
