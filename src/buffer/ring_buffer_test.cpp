// SPDX-License-Identifier: MIT
// ring_buffer_test.cpp - what a single mirrored buffer promises.
#include "ioring/ring_buffer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ioring {
namespace {

const std::size_t page = ring_buffer::granularity();

ring_buffer make(std::size_t bytes) {
    ring_buffer made;
    std::string why;
    EXPECT_FALSE(ring_buffer::create(bytes, {}, made, &why)) << why;
    return made;
}

void fill(std::span<std::byte> bytes, int value) {
    if (!bytes.empty()) std::memset(bytes.data(), value, bytes.size());
}

static_assert(!std::is_copy_constructible_v<ring_buffer>);
static_assert(!std::is_copy_assignable_v<ring_buffer>);
static_assert(std::is_nothrow_move_constructible_v<ring_buffer>);
static_assert(std::is_nothrow_default_constructible_v<ring_buffer>);

TEST(ring_buffer, begins_empty_at_offset_0_and_unregistered) {
    ring_buffer buffer = make(page);
    EXPECT_EQ(page, buffer.capacity());
    EXPECT_EQ(0u, buffer.head());
    EXPECT_EQ(0u, buffer.tail());
    EXPECT_TRUE(buffer.empty());
    EXPECT_FALSE(buffer.full());
    EXPECT_TRUE(buffer.readable().empty());
    EXPECT_EQ(page, buffer.writable().size());
    EXPECT_EQ(0u, buffer.read_offset());
    EXPECT_EQ(0u, buffer.write_offset());
    EXPECT_EQ(buffer_id::invalid, buffer.id());
    EXPECT_EQ(2 * page, buffer.memory().size());
    EXPECT_EQ(buffer.memory().data(), buffer.writable().data());
    EXPECT_TRUE(std::all_of(buffer.memory().begin(), buffer.memory().end(),
                            [](std::byte each) { return each == std::byte{0}; }));
}

TEST(ring_buffer, holds_as_many_bytes_as_its_capacity) {
    ring_buffer buffer = make(page);
    ASSERT_TRUE(buffer.commit_write(page));
    EXPECT_TRUE(buffer.full());
    EXPECT_FALSE(buffer.empty());
    EXPECT_EQ(page, buffer.readable_bytes());
    EXPECT_TRUE(buffer.writable().empty());
    ASSERT_TRUE(buffer.commit_read(page));
    EXPECT_TRUE(buffer.empty());
    EXPECT_EQ(page, buffer.writable().size());
}

TEST(ring_buffer, both_parts_are_one_range_at_every_offset) {
    ring_buffer buffer = make(page);
    const std::byte* const begin = buffer.memory().data();
    const std::byte* const end = begin + buffer.memory().size();
    for (std::size_t offset = 0; offset < page; ++offset) {
        ASSERT_EQ(offset, buffer.write_offset());
        ASSERT_EQ(page, buffer.writable().size());
        ASSERT_EQ(begin + offset, buffer.writable().data());
        ASSERT_LE(buffer.writable().data() + page, end);
        std::byte* const written = buffer.writable().data();
        written[0] = static_cast<std::byte>(offset);
        written[page - 1] = static_cast<std::byte>(offset >> 8U);
        ASSERT_TRUE(buffer.commit_write(page));
        ASSERT_EQ(begin + offset, buffer.readable().data());
        ASSERT_EQ(static_cast<std::byte>(offset), buffer.readable().front());
        ASSERT_EQ(static_cast<std::byte>(offset >> 8U), buffer.readable().back());
        ASSERT_TRUE(buffer.commit_read(page - 1));
        // One byte is left: the rest is one range again, behind it.
        ASSERT_EQ(page - 1, buffer.writable().size());
        ASSERT_LE(buffer.writable().data() + buffer.writable().size(), end);
        ASSERT_TRUE(buffer.commit_read(1));
        ASSERT_TRUE(buffer.commit_write(1));
        ASSERT_TRUE(buffer.commit_read(1));
    }
    EXPECT_EQ(page * (page + 1), buffer.tail());
}

TEST(ring_buffer, counts_bytes_for_ever_and_offsets_round_and_round) {
    ring_buffer buffer = make(3 * page);  // No power of two.
    const std::uint64_t step = 2 * page + 1;
    for (std::uint64_t round = 1; round <= 1000; ++round) {
        ASSERT_TRUE(buffer.commit_write(step));
        ASSERT_EQ(round * step % (3 * page), buffer.write_offset());
        ASSERT_TRUE(buffer.commit_read(step));
        ASSERT_EQ(round * step, buffer.head());
        ASSERT_EQ(round * step, buffer.tail());
        ASSERT_EQ(round * step % (3 * page), buffer.read_offset());
    }
}

TEST(ring_buffer, a_commit_of_more_than_there_is_changes_nothing) {
    ring_buffer buffer = make(page);
    ASSERT_TRUE(buffer.commit_write(10));
    const int failed_receive = -104;
    for (const std::uint64_t wrong :
         {std::uint64_t{page - 9}, std::uint64_t{page}, std::uint64_t{1} << 32U,
          (std::uint64_t{1} << 32U) + 1, std::uint64_t{static_cast<std::uint32_t>(failed_receive)},
          static_cast<std::uint64_t>(failed_receive), std::numeric_limits<std::uint64_t>::max()}) {
        EXPECT_FALSE(buffer.commit_write(wrong)) << wrong;
        EXPECT_FALSE(buffer.commit_read(wrong)) << wrong;
        EXPECT_EQ(0u, buffer.head());
        EXPECT_EQ(10u, buffer.tail());
    }
    EXPECT_FALSE(buffer.commit_read(11));
    EXPECT_TRUE(buffer.commit_read(10));
    EXPECT_FALSE(buffer.commit_read(1));
}

TEST(ring_buffer, rewinds_only_when_it_is_empty_and_not_lent) {
    ring_buffer buffer = make(page);
    ASSERT_TRUE(buffer.commit_write(100));
    EXPECT_FALSE(buffer.rewind());
    ASSERT_TRUE(buffer.commit_read(100));
    EXPECT_EQ(100u, buffer.write_offset());

    ASSERT_EQ(page, buffer.begin_write().size());
    EXPECT_TRUE(buffer.lent());
    EXPECT_FALSE(buffer.rewind());
    EXPECT_EQ(100u, buffer.write_offset());

    ASSERT_TRUE(buffer.commit_write(0));  // It ended with nothing.
    EXPECT_FALSE(buffer.lent());
    EXPECT_TRUE(buffer.rewind());
    EXPECT_EQ(0u, buffer.write_offset());
    EXPECT_EQ(0u, buffer.read_offset());
    EXPECT_EQ(100u, buffer.head()) << "what was counted stays counted";
    EXPECT_EQ(100u, buffer.tail());
    EXPECT_EQ(buffer.memory().data(), buffer.writable().data());
}

TEST(ring_buffer, lends_its_free_part_to_one_receive_at_a_time) {
    ring_buffer buffer = make(page);
    ASSERT_TRUE(buffer.commit_write(page - 1));
    EXPECT_EQ(1u, buffer.begin_write().size());
    EXPECT_TRUE(buffer.begin_write().empty()) << "two receives would write to one place";
    EXPECT_FALSE(buffer.commit_write(2)) << "more than it was lent";
    EXPECT_TRUE(buffer.lent()) << "a refused commit changes nothing";
    EXPECT_TRUE(buffer.commit_write(1));
    EXPECT_FALSE(buffer.lent());
    EXPECT_TRUE(buffer.begin_write().empty()) << "a receive of 0 bytes looks like an end of stream";
    EXPECT_FALSE(buffer.lent());
}

TEST(ring_buffer, reading_goes_on_while_it_is_lent) {
    ring_buffer buffer = make(page);
    ASSERT_TRUE(buffer.commit_write(10));
    const auto lent = buffer.begin_write();
    ASSERT_TRUE(buffer.commit_read(10));
    EXPECT_EQ(lent.data(), buffer.writable().data()) << "what was lent does not move";
    EXPECT_EQ(page, buffer.writable().size());
    EXPECT_TRUE(buffer.commit_write(5));
}

TEST(ring_buffer, bytes_can_be_changed_in_place) {
    ring_buffer buffer = make(page);
    fill(buffer.writable().first(4), 'x');
    ASSERT_TRUE(buffer.commit_write(4));
    for (std::byte& each : buffer.readable_in_place()) each ^= std::byte{0x20};
    EXPECT_EQ(0, std::memcmp("XXXX", buffer.readable().data(), 4));
}

TEST(ring_buffer, a_wrong_size_is_an_error_that_names_the_granularity) {
    const std::size_t limit = ring_buffer::capacity_max;
    for (const std::size_t wrong :
         {std::size_t{0}, std::size_t{1}, page - 1, page + 1, 3 * page / 2, limit + page,
          std::numeric_limits<std::size_t>::max(),
          std::numeric_limits<std::size_t>::max() - page + 1}) {
        ring_buffer buffer = make(page);
        ASSERT_TRUE(buffer.commit_write(3));
        std::string why;
        EXPECT_EQ(std::errc::invalid_argument, ring_buffer::create(wrong, {}, buffer, &why));
        EXPECT_NE(std::string::npos, why.find(std::to_string(wrong) + " bytes")) << why;
        EXPECT_NE(std::string::npos, why.find("multiple of " + std::to_string(page))) << why;
        EXPECT_EQ(3u, buffer.readable_bytes()) << "unchanged on an error";
        EXPECT_EQ(std::errc::invalid_argument, ring_buffer::create(wrong, {}, buffer));
    }
}

#if defined(__cpp_exceptions)
TEST(ring_buffer, its_constructor_throws_what_create_returns) {
    try {
        const ring_buffer buffer{page + 1};
        FAIL() << "must throw";
    } catch (const std::system_error& error) {
        EXPECT_EQ(std::errc::invalid_argument, error.code());
        EXPECT_NE(nullptr, std::strstr(error.what(), "multiple of"));
    }
    EXPECT_EQ(2 * page, ring_buffer{2 * page}.capacity());
}
#endif

TEST(ring_buffer, none_has_no_bytes_and_takes_no_commits) {
    ring_buffer none;
    EXPECT_EQ(0u, none.capacity());
    EXPECT_TRUE(none.readable().empty());
    EXPECT_TRUE(none.writable().empty());
    EXPECT_TRUE(none.begin_write().empty());
    EXPECT_TRUE(none.memory().empty());
    EXPECT_EQ(0u, none.write_offset());
    EXPECT_TRUE(none.commit_write(0));
    EXPECT_TRUE(none.commit_read(0));
    EXPECT_FALSE(none.commit_write(1));
    EXPECT_FALSE(none.commit_read(1));
    EXPECT_TRUE(none.rewind());
}

TEST(ring_buffer, moves_with_its_bytes_and_its_receive) {
    ring_buffer first = make(page);
    std::memcpy(first.writable().data(), "abc", 3);
    ASSERT_TRUE(first.commit_write(3));
    first.set_id(buffer_id{7});
    const auto lent = first.begin_write();

    ring_buffer second = std::move(first);
    EXPECT_EQ(0u, first.capacity());  // NOLINT(bugprone-use-after-move): that is the question.
    EXPECT_FALSE(first.lent());
    EXPECT_EQ(buffer_id::invalid, first.id());
    EXPECT_EQ(buffer_id{7}, second.id());
    EXPECT_TRUE(second.lent());
    EXPECT_EQ(lent.data(), second.writable().data()) << "the memory stays where it is";

    ring_buffer third = make(2 * page);
    third = std::move(second);
    EXPECT_EQ(page, third.capacity());
    EXPECT_EQ(0, std::memcmp("abc", third.readable().data(), 3));
    ring_buffer& alias = third;
    third = std::move(alias);
    EXPECT_EQ(3u, third.readable_bytes());
    ASSERT_TRUE(third.commit_write(0));
}

TEST(ring_buffer, asks_for_huge_pages_and_does_without) {
    const std::size_t huge = ring_buffer::granularity(true);
    EXPECT_EQ(0u, huge % page);
    ring_buffer buffer;
    std::string why;
    ASSERT_FALSE(ring_buffer::create(huge, {.huge_pages = true}, buffer, &why)) << why;
    EXPECT_EQ(huge, buffer.capacity());
    std::memset(buffer.writable().data(), 1, huge);
    EXPECT_EQ(std::byte{1}, buffer.memory()[2 * huge - 1]);
    if (huge > page) {
        EXPECT_EQ(std::errc::invalid_argument,
                  ring_buffer::create(page, {.huge_pages = true}, buffer, &why));
        EXPECT_NE(std::string::npos, why.find(std::to_string(huge))) << why;
    }
}

}  // namespace
}  // namespace ioring
