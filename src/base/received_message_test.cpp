// SPDX-License-Identifier: MIT
// received_message_test.cpp - buffers of multishot recvmsg are taken apart within their bounds,
// whatever is in them.
#include "ioring/received_message.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <vector>

namespace ioring {
namespace {

using head = std::array<std::uint32_t, 4>;  // Bytes of name, control and payload; flags.

constexpr message_room room{.name_bytes = 28, .control_bytes = 64};

std::vector<std::byte> buffer_of(const head& of, std::size_t bytes) {
    std::vector<std::byte> made(bytes);
    for (std::size_t at = 0; at < bytes; ++at) made[at] = static_cast<std::byte>(at);
    if (bytes != 0) std::memcpy(made.data(), of.data(), std::min(bytes, sizeof of));
    return made;
}

bool lies_within(std::span<const std::byte> part, std::span<const std::byte> whole) {
    return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

TEST(received_message_test, parts_stand_where_the_kernel_puts_them) {
    std::vector<std::byte> buffer = buffer_of({16, 24, 5, 0}, 16 + 28 + 64 + 5);
    received_message message;
    ASSERT_TRUE(received_message::read(buffer, room, message));
    EXPECT_EQ(buffer.data() + 16, message.name.data());
    EXPECT_EQ(16U, message.name.size());
    EXPECT_EQ(buffer.data() + 16 + 28, message.control.data());
    EXPECT_EQ(24U, message.control.size());
    EXPECT_EQ(buffer.data() + 16 + 28 + 64, message.payload.data());
    EXPECT_EQ(5U, message.payload.size());
    EXPECT_EQ(5U, message.payload_bytes);
    EXPECT_EQ(0U, message.flags);
    EXPECT_FALSE(message.is_cut());
    EXPECT_EQ(108U, room.bytes_before_payload());
}

TEST(received_message_test, an_empty_datagram_without_names_is_a_message) {
    std::vector<std::byte> buffer = buffer_of({0, 0, 0, 0}, 16);
    received_message message;
    ASSERT_TRUE(received_message::read(buffer, {}, message));
    EXPECT_TRUE(message.name.empty() && message.control.empty() && message.payload.empty());
    EXPECT_FALSE(message.is_cut());
}

TEST(received_message_test, what_is_shorter_than_its_head_and_room_is_none) {
    for (std::size_t bytes = 0; bytes < 108; ++bytes) {
        std::vector<std::byte> buffer = buffer_of({0, 0, 0, 0}, bytes);
        received_message message{.flags = 77};
        EXPECT_FALSE(received_message::read(buffer, room, message)) << bytes;
        EXPECT_EQ(77U, message.flags) << bytes;
    }
    std::vector<std::byte> buffer = buffer_of({0, 0, 0, 0}, 200);
    received_message message;
    EXPECT_FALSE(received_message::read(buffer, {.name_bytes = ~0U}, message));
    EXPECT_FALSE(received_message::read(buffer, {.control_bytes = ~0U - 8}, message));
    EXPECT_FALSE(received_message::read(buffer, {~0U, ~0U}, message));
}

TEST(received_message_test, what_had_no_room_is_cut_and_says_so) {
    std::vector<std::byte> buffer = buffer_of({110, 80, 1000, msg_flag::trunc}, 108 + 10);
    received_message message;
    ASSERT_TRUE(received_message::read(buffer, room, message));
    EXPECT_EQ(28U, message.name.size());
    EXPECT_EQ(110U, message.name_bytes);
    EXPECT_EQ(64U, message.control.size());
    EXPECT_EQ(10U, message.payload.size());
    EXPECT_EQ(1000U, message.payload_bytes);
    EXPECT_TRUE(message.is_cut());
    // The flag alone, and the length alone, say it too.
    buffer = buffer_of({0, 0, 10, msg_flag::trunc}, 108 + 10);
    ASSERT_TRUE(received_message::read(buffer, room, message));
    EXPECT_TRUE(message.is_cut());
    buffer = buffer_of({0, 0, 11, 0}, 108 + 10);
    ASSERT_TRUE(received_message::read(buffer, room, message));
    EXPECT_TRUE(message.is_cut());
}

TEST(received_message_test, rubbish_never_leads_out_of_the_buffer) {
    std::mt19937 random{1};
    for (int round = 0; round < 20'000; ++round) {
        const auto small = [&] { return static_cast<std::uint32_t>(random() % 70); };
        const auto any = [&] { return random() % 4 == 0 ? std::uint32_t(random()) : small(); };
        std::vector<std::byte> buffer =
            buffer_of({any(), any(), any(), any()}, std::size_t{3} * small());
        const message_room of{.name_bytes = any(), .control_bytes = any()};
        received_message message;
        if (!received_message::read(buffer, of, message)) continue;
        ASSERT_TRUE(lies_within(message.name, buffer));
        ASSERT_TRUE(lies_within(message.control, buffer));
        ASSERT_TRUE(lies_within(message.payload, buffer));
        ASSERT_LE(message.name.data() + message.name.size(), message.control.data());
        ASSERT_LE(message.control.data() + message.control.size(), message.payload.data());
    }
}

}  // namespace
}  // namespace ioring
