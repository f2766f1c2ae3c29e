// SPDX-License-Identifier: MIT
// group_share_linux_test.cpp - a group of which the kernel holds a part at a time, on io_uring.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <string>

#include "buffer/linux_test_support.hpp"
#include "ioring/buffer_group.hpp"

namespace ioring::buffer_tests {
namespace {

using chunk = std::span<std::byte>;

class group_share_test : public testing::Test {
protected:
    // Eight buffers of 16 bytes, two of them posted.
    buffer_group make(bool incremental = true) {
        buffer_group made;
        std::string why;
        EXPECT_FALSE(buffer_group::create(
            ring_,
            {.buffers = 8, .buffer_bytes = 16, .incremental = incremental, .posted_bytes_max = 17},
            made, &why))
            << why;
        return made;
    }
    void arm(const buffer_group& group) {
        ASSERT_NE(nullptr, ring_.prepare_recv_multishot(both_.ours(), group.id(), 1));
    }

    ring ring_ = make_uring();
    tcp_pair both_;
};

TEST_F(group_share_test, posts_its_share_and_goes_on_with_what_is_behind) {
    buffer_group group = make();
    EXPECT_EQ(2U, group.posted());
    EXPECT_EQ(8U, group.unused());
    arm(group);
    std::array<chunk, 8> chunks;
    for (std::size_t index = 0; index < chunks.size(); ++index) {
        send(both_, "0123456789abcdef");
        const cqe done = complete_one(ring_);
        ASSERT_EQ(16, done.res);
        ASSERT_TRUE(done.more());
        chunks[index] = group.take(done);
        EXPECT_EQ("0123456789abcdef", text_of(chunks[index]));
        EXPECT_EQ(7 - index, group.unused());
        EXPECT_EQ(std::min<std::size_t>(2, 7 - index), group.posted());
    }
    send(both_, "x");
    EXPECT_EQ(-ENOBUFS, complete_one(ring_).res);
    for (const chunk each : chunks) EXPECT_TRUE(group.recycle(each));
    EXPECT_EQ(2U, group.posted());
    EXPECT_EQ(8U, group.unused());
    EXPECT_EQ(0U, group.refused());
    arm(group);
    const cqe done = complete_one(ring_);
    EXPECT_EQ("x", text_of(group.take(done)));
}

TEST_F(group_share_test, ends_a_turn_that_brings_more_and_has_buffers_for_the_next) {
    buffer_group group = make();
    send(both_, std::string(100, 's'));
    std::size_t received = 0;
    int armed = 0;
    while (received < 100 && !HasFailure()) {
        arm(group);
        ++armed;
        for (bool more = true; more && received < 100;) {
            const cqe done = complete_one(ring_);
            more = done.more();
            if (done.res == -ENOBUFS) continue;
            ASSERT_LT(0, done.res);
            const chunk bytes = group.take(done);
            received += bytes.size();
            EXPECT_NE(0U, group.posted());
        }
    }
    EXPECT_EQ(100U, received);
    EXPECT_LE(2, armed) << "the kernel had all buffers at once";
}

TEST_F(group_share_test, uses_next_the_buffer_that_was_given_back_last) {
    buffer_group group = make();
    arm(group);
    std::set<const std::byte*> used;
    for (int round = 0; round < 20; ++round) {
        send(both_, "0123456789abcdef");
        const chunk bytes = group.take(complete_one(ring_));
        ASSERT_EQ(16U, bytes.size());
        used.insert(bytes.data());
        EXPECT_TRUE(group.recycle(bytes));
    }
    EXPECT_EQ(3U, used.size()) << "two that are posted and the one that was out, of eight";
}

TEST_F(group_share_test, without_incremental_buffers_all_are_posted) {
    buffer_group group = make(/*incremental=*/false);
    EXPECT_EQ(8U, group.posted());
    EXPECT_EQ(8U, group.unused());
}

}  // namespace
}  // namespace ioring::buffer_tests
