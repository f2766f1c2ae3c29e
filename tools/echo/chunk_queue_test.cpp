// SPDX-License-Identifier: MIT
// chunk_queue_test.cpp - every byte leaves the queue once, in order, wherever it lies.
#include "echo/chunk_queue.hpp"

#include <array>
#include <cstring>
#include <deque>
#include <memory>
#include <random>
#include <set>

#include <gtest/gtest.h>

namespace echo {
namespace {

constexpr std::size_t pieces_max = 4;

// A queue over memory of the test's, which knows what is borrowed and what is owned.
class chunk_queue_test : public ::testing::Test {
protected:
    // Adds the next `bytes` bytes of the stream at `offset` of the memory.
    void push(std::size_t offset, std::size_t bytes) {
        for (std::size_t index = 0; index < bytes; ++index) {
            memory_[offset + index] = static_cast<std::byte>(next_++ % 251);
            expected_.push_back(memory_[offset + index]);
        }
        borrowed_.insert(&memory_[offset]);
        queue_.push({&memory_[offset], bytes});
    }

    chunk_queue::gathered gather() { return queue_.gather(pieces_); }

    // Checks that what gather() names is what must be sent next, and "sends" `bytes` of it.
    void send(std::uint32_t bytes) {
        const auto what = gather();
        ASSERT_GE(what.bytes, bytes);
        std::vector<std::byte> sent;
        for (std::uint32_t piece = 0; piece < what.pieces; ++piece) {
            const auto* const data = static_cast<const std::byte*>(pieces_[piece].iov_base);
            sent.insert(sent.end(), data, data + pieces_[piece].iov_len);
        }
        ASSERT_EQ(what.bytes, sent.size());
        for (std::uint32_t index = 0; index < bytes; ++index) {
            ASSERT_EQ(expected_.front(), sent[index]) << index;
            expected_.pop_front();
        }
        queue_.consume(bytes, [this](const chunk& finished) { release(finished); });
        ASSERT_EQ(expected_.size(), queue_.bytes());
    }

    void own(std::uint32_t first) {
        const std::uint32_t bytes = queue_.bytes_from(first);
        if (bytes == 0) return;
        auto memory = std::make_unique<std::byte[]>(bytes);
        std::byte* const data = memory.get();
        owned_.push_back(std::move(memory));
        queue_.own_from(first, data, [this](const chunk& moved) { release(moved); });
        ASSERT_EQ(expected_.size(), queue_.bytes());
    }

    // What is released is used for something else at once.
    void release(const chunk& finished) {
        if (finished.owned) {
            std::memset(finished.data, 0xee, finished.bytes);
            ++owned_released_;
        } else {
            ASSERT_EQ(1U, borrowed_.erase(finished.data)) << "released twice, or never pushed";
            std::memset(finished.data, 0xdd, finished.bytes);
        }
    }

    std::array<std::byte, 1 << 16> memory_{};
    std::array<::iovec, pieces_max> pieces_{};
    chunk_queue queue_;
    std::deque<std::byte> expected_;
    std::set<const std::byte*> borrowed_;
    std::vector<std::unique_ptr<std::byte[]>> owned_;
    std::size_t owned_released_ = 0;
    std::uint32_t next_ = 0;
};

TEST_F(chunk_queue_test, neighbours_are_one_piece) {
    push(0, 100);
    push(100, 50);
    push(1000, 10);
    const auto what = gather();
    EXPECT_EQ(2U, what.pieces);
    EXPECT_EQ(160U, what.bytes);
    send(160);
    EXPECT_TRUE(queue_.empty());
    EXPECT_TRUE(borrowed_.empty());
}

TEST_F(chunk_queue_test, a_chunk_is_released_with_its_last_byte_and_not_before) {
    push(0, 100);
    push(200, 100);
    send(99);
    EXPECT_EQ(2U, borrowed_.size());
    send(1);
    EXPECT_EQ(1U, borrowed_.size());
    send(100);
    EXPECT_TRUE(borrowed_.empty());
}

TEST_F(chunk_queue_test, more_pieces_than_one_send_takes_follow_in_the_next) {
    for (std::size_t index = 0; index < 6; ++index) push(index * 1000, 10);
    EXPECT_EQ(pieces_max, gather().pieces);
    send(40);
    EXPECT_EQ(2U, gather().pieces);
    send(20);
    EXPECT_TRUE(queue_.empty());
}

TEST_F(chunk_queue_test, an_owned_chunk_is_sent_alone_so_that_what_is_behind_may_be_moved) {
    push(0, 100);
    push(1000, 100);
    send(30);
    own(0);
    EXPECT_TRUE(borrowed_.empty());
    EXPECT_EQ(1U, queue_.owned_chunks());
    push(2000, 50);
    push(3000, 50);
    EXPECT_EQ(170U, gather().bytes);
    const void* const in_flight = pieces_[0].iov_base;
    own(1);
    EXPECT_EQ(in_flight, pieces_[0].iov_base);
    EXPECT_EQ(2U, queue_.owned_chunks());
    EXPECT_TRUE(borrowed_.empty());
    send(170);
    send(100);
    EXPECT_TRUE(queue_.empty());
    EXPECT_EQ(0U, queue_.owned_chunks());
    EXPECT_EQ(2U, owned_released_);
}

TEST_F(chunk_queue_test, any_order_of_pushes_sends_and_moves_keeps_the_stream) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random{seed};
    // Slots of 64 bytes: one that is borrowed is not written again.
    std::size_t slot = 0;
    for (int step = 0; step < 200'000 && !HasFatalFailure(); ++step) {
        const auto choice = random() % 100;
        if (choice < 55) {
            slot = random() % 3 == 0 ? random() % 1024 : (slot + 1) % 1024;
            if (borrowed_.contains(&memory_[slot * 64])) continue;
            push(slot * 64, random() % 3 == 0 ? 1 + random() % 64 : 64);
        } else if (choice < 98) {
            const auto bytes = gather().bytes;
            if (bytes != 0)
                send(random() % 4 == 0 ? 1 + static_cast<std::uint32_t>(random() % bytes) : bytes);
        } else if (choice == 98) {
            own(0);
        } else if (queue_.front_is_owned()) {
            own(1);
        }
    }
    while (!queue_.empty() && !HasFatalFailure()) send(gather().bytes);
    EXPECT_TRUE(borrowed_.empty());
    EXPECT_EQ(owned_.size(), owned_released_);
}

}  // namespace
}  // namespace echo
