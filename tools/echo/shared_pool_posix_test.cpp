// SPDX-License-Identifier: MIT
// shared_pool_posix_test.cpp - several chunks go out as one send, by either way that there is.
#include "echo/shared_pool.hpp"

#include <unistd.h>

#include <array>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "echo/tags.hpp"

namespace echo {
namespace {

// Two connections (slots 0 and 1) that receive into the same chunks; the test is their peer.
class shared_pool_test : public ::testing::TestWithParam<bool> {
protected:
    void SetUp() override {
        std::string why;
        ASSERT_FALSE(ioring::ring::create({}, ring_, &why)) << why;
        if (!ring_.probe().has(ioring::feature::buffer_rings)) {
            GTEST_SKIP() << "no buffer rings here";
        }
        if (GetParam() && !ring_.probe().has(ioring::feature::send_vectorized)) {
            GTEST_SKIP() << "no vectorized send here";
        }
        ASSERT_FALSE(
            ioring::buffer_group::create(ring_, {.buffers = 8, .buffer_bytes = 4096}, group_, &why))
            << why;
        for (std::uint32_t slot = 0; slot < 2; ++slot) {
            std::array<int, 2> pair{};
            ASSERT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()));
            peers_[slot] = pair[0];
            ASSERT_EQ(slot, table_.take(ioring::fd{pair[1]}));
        }
    }

    void TearDown() override {
        for (std::uint32_t slot = 0; slot < 2; ++slot) {
            ::close(peers_[slot]);
            ring_.close_now(table_[slot].socket);
        }
    }

    static std::uint64_t tag_of(op what, std::uint32_t slot) { return tag(what, slot, 1); }

    // Waits for one completion.
    ioring::cqe complete() {
        std::array<ioring::cqe, 1> done{};
        EXPECT_EQ(1, ring_.wait_completions(done, 1, std::chrono::seconds{10}));
        ring_.advance_completion_queue(1);
        return done[0];
    }

    // The peer of `slot` writes `text`, and the pool receives it.
    void receive(shared_pool& pool, std::uint32_t slot, std::string_view text) {
        ASSERT_EQ(static_cast<ssize_t>(text.size()),
                  ::write(peers_[slot], text.data(), text.size()));
        const ioring::cqe done = complete();
        ASSERT_EQ(tag_of(op::recv, slot), done.user_data);
        ASSERT_EQ(static_cast<int>(text.size()), done.res);
        pool.received(slot, done);
    }

    void send(shared_pool& pool, std::uint32_t slot, std::string_view expected) {
        std::uint32_t bytes = 0;
        ASSERT_EQ(expected.size(), pool.unsent(slot));
        ASSERT_TRUE(pool.prepare_send(slot, tag_of(op::send, slot), bytes));
        ASSERT_EQ(expected.size(), bytes);
        const ioring::cqe done = complete();
        ASSERT_EQ(tag_of(op::send, slot), done.user_data);
        ASSERT_EQ(static_cast<int>(bytes), done.res);
        pool.sent(slot, bytes);
        std::string got(expected.size(), '\0');
        ASSERT_EQ(static_cast<ssize_t>(got.size()), ::read(peers_[slot], got.data(), got.size()));
        EXPECT_EQ(expected, got);
    }

    ioring::ring ring_;
    ioring::buffer_group group_;
    connection_table table_{2};
    std::array<int, 2> peers_{-1, -1};
};

TEST_P(shared_pool_test, mixed_chunks_of_two_connections_reach_each_its_own_in_one_send) {
    shared_pool pool{ring_, table_, group_, /*buffer_bytes=*/4096, /*vectorized=*/GetParam()};
    for (std::uint32_t slot = 0; slot < 2; ++slot) {
        ASSERT_FALSE(pool.open(slot));
        ASSERT_TRUE(pool.may_receive(slot));
        ASSERT_TRUE(pool.prepare_receive(slot, tag_of(op::recv, slot)));
    }
    // All of 8 bytes, so that none is cut in two where a chunk ends; many times round the group.
    for (int round = 0; round < 2000; ++round) {
        // They lie in turns, so that neither's are side by side.
        receive(pool, 0, "aaaaaaa1");
        receive(pool, 1, "bbbbbbb1");
        receive(pool, 0, "aaaaaaa2");
        receive(pool, 1, "bbbbbbb2");
        receive(pool, 0, "aaaaaaa3");
        send(pool, 0, "aaaaaaa1aaaaaaa2aaaaaaa3");
        send(pool, 1, "bbbbbbb1bbbbbbb2");
        pool.end_of_batch([](std::uint32_t) {});
        ASSERT_FALSE(HasFatalFailure());
    }
    EXPECT_EQ(0U, group_.chunks_out());
    EXPECT_EQ(0U, group_.refused());
    pool.close(0);
    pool.close(1);
}

INSTANTIATE_TEST_SUITE_P(way, shared_pool_test, ::testing::Bool(), [](const auto& way) {
    return std::string{way.param ? "vectorized" : "sendmsg"};
});

}  // namespace
}  // namespace echo
