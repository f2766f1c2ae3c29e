// SPDX-License-Identifier: MIT
// buffer_groups_test.cpp - provided buffers: what is selected, used, and left.
#include "backend/emulation/buffer_groups.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "ioring/sqe.hpp"

namespace ioring::backends::emulation {
namespace {

// The program's end of a ring of four records.
struct alignas(4096) ring_memory {
    std::array<std::byte, 4096> bytes{};

    void add(std::uint16_t at, std::byte* data, std::uint32_t size, std::uint16_t id) {
        const auto address = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(data));
        std::byte* const record = bytes.data() + std::size_t{16} * (at & 3U);
        std::memcpy(record, &address, sizeof address);
        std::memcpy(record + 8, &size, sizeof size);
        std::memcpy(record + 12, &id, sizeof id);
    }
    void publish(std::uint16_t tail) { std::memcpy(bytes.data() + 14, &tail, sizeof tail); }
};

class buffer_groups_test : public testing::Test {
protected:
    int add(std::uint16_t group, bool incremental) {
        return groups_.add(
            {.records = &memory_, .entries = 4, .group = group, .incremental = incremental});
    }

    ring_memory memory_;
    std::array<std::byte, 64> data_{};
    buffer_groups groups_;
};

TEST_F(buffer_groups_test, buffers_come_in_the_order_of_their_records) {
    ASSERT_EQ(0, add(7, false));
    selected_buffer out;
    EXPECT_FALSE(groups_.select(7, 0, out));  // Nothing published.
    for (std::uint16_t at = 0; at < 4; ++at) {
        memory_.add(at, &data_[std::size_t{16} * at], 16, static_cast<std::uint16_t>(100 + at));
    }
    memory_.publish(4);
    for (std::uint16_t at = 0; at < 4; ++at) {
        ASSERT_TRUE(groups_.select(7, 0, out));
        EXPECT_EQ(&data_[std::size_t{16} * at], out.data);
        EXPECT_EQ(16U, out.bytes);
        const std::uint32_t flags = groups_.commit(7, 1);
        EXPECT_EQ(cqe_flag::buffer | ((100U + at) << cqe_flag::buffer_shift), flags);
    }
    EXPECT_FALSE(groups_.select(7, 0, out));
    // The tail wraps at 16 bits, the records at four.
    memory_.add(4, data_.data(), 8, 200);
    memory_.publish(5);
    ASSERT_TRUE(groups_.select(7, 0, out));
    EXPECT_EQ(8U, out.bytes);
}

TEST_F(buffer_groups_test, what_is_selected_and_not_used_is_selected_again) {
    ASSERT_EQ(0, add(1, false));
    memory_.add(0, data_.data(), 16, 3);
    memory_.publish(1);
    selected_buffer out;
    ASSERT_TRUE(groups_.select(1, 0, out));
    ASSERT_TRUE(groups_.select(1, 5, out));
    EXPECT_EQ(data_.data(), out.data);
    EXPECT_EQ(5U, out.bytes);
}

TEST_F(buffer_groups_test, an_incremental_buffer_is_used_piece_by_piece) {
    ASSERT_EQ(0, add(65'535, true));
    memory_.add(0, data_.data(), 16, 3);
    memory_.publish(1);
    selected_buffer out;
    ASSERT_TRUE(groups_.select(65'535, 0, out));
    EXPECT_NE(0U, groups_.commit(65'535, 10) & cqe_flag::buffer_more);
    ASSERT_TRUE(groups_.select(65'535, 0, out));
    EXPECT_EQ(data_.data() + 10, out.data);
    EXPECT_EQ(6U, out.bytes);
    EXPECT_EQ(0U, groups_.commit(65'535, 6) & cqe_flag::buffer_more);
    EXPECT_FALSE(groups_.select(65'535, 0, out));
}

TEST_F(buffer_groups_test, misuse_is_an_error_as_on_io_uring) {
    ASSERT_EQ(0, add(1, false));
    EXPECT_EQ(-EEXIST, add(1, false));
    EXPECT_EQ(-ENOENT, groups_.remove(2));
    EXPECT_EQ(-EINVAL, groups_.remove(65'536));
    EXPECT_EQ(-EFAULT,
              groups_.add({.records = nullptr, .entries = 4, .group = 3, .incremental = false}));
    EXPECT_EQ(-EINVAL,
              groups_.add({.records = &memory_, .entries = 3, .group = 3, .incremental = false}));
    EXPECT_EQ(
        -EINVAL,
        groups_.add({.records = &memory_, .entries = 65'536, .group = 3, .incremental = false}));
    EXPECT_EQ(-EINVAL,
              groups_.add(
                  {.records = &memory_.bytes[16], .entries = 4, .group = 3, .incremental = false}));
    selected_buffer out;
    EXPECT_FALSE(groups_.select(3, 0, out));
    EXPECT_EQ(0, groups_.remove(1));
    EXPECT_EQ(0, add(1, true));
}

}  // namespace
}  // namespace ioring::backends::emulation
