// SPDX-License-Identifier: MIT
// acceptor_test.cpp - accepts stay in flight, except while they could only fail.
#include "echo/acceptor.hpp"

#include <cerrno>

#include <gtest/gtest.h>

#include "echo/tags.hpp"

namespace echo {
namespace {

class acceptor_test : public ::testing::Test {
protected:
    void SetUp() override {
        ASSERT_FALSE(ioring::ring::create({.sq_entries = 64, .backend = "null"}, ring_));
        room_ = ring_.submission_queue_space();
    }

    // Accepts prepared since the last call.
    std::uint32_t prepared() {
        const std::uint32_t room = ring_.submission_queue_space();
        const std::uint32_t count = room_ - room;
        room_ = room;
        return count;
    }

    static ioring::cqe result(std::int32_t res, bool more = false) {
        return {
            .user_data = tag(op::accept), .res = res, .flags = more ? ioring::cqe_flag::more : 0};
    }

    ioring::ring ring_;
    ioring::listener listener_;
    std::uint32_t room_ = 0;
};

TEST_F(acceptor_test, an_accept_that_has_ended_is_prepared_again) {
    acceptor accepts{ring_, listener_};
    accepts.arm();
    const std::uint32_t wanted = prepared();
    EXPECT_GE(wanted, 1U);
    accepts.arm();
    EXPECT_EQ(0U, prepared());

    EXPECT_EQ(7, accepts.completed(result(7, /*more=*/true)).value);
    accepts.arm();
    EXPECT_EQ(0U, prepared()) << "a multishot accept that goes on";

    EXPECT_EQ(8, accepts.completed(result(8)).value);
    accepts.arm();
    EXPECT_EQ(1U, prepared());
}

TEST_F(acceptor_test, want_of_descriptors_pauses_until_it_is_resumed) {
    for (const int error : {EMFILE, ENFILE, ENOMEM, ENOBUFS}) {
        acceptor accepts{ring_, listener_};
        accepts.arm();
        (void)prepared();
        EXPECT_FALSE(accepts.completed(result(-error)).valid());
        EXPECT_TRUE(accepts.is_paused()) << error;
        EXPECT_EQ(1U, accepts.pauses());
        accepts.arm();
        EXPECT_EQ(0U, prepared());
        accepts.resume();
        accepts.arm();
        EXPECT_EQ(1U, prepared());
    }
}

TEST_F(acceptor_test, a_peer_that_went_away_while_it_waited_pauses_nothing) {
    for (const int error : {ECONNABORTED, EPROTO, EINTR, EAGAIN}) {
        acceptor accepts{ring_, listener_};
        accepts.arm();
        (void)prepared();
        EXPECT_FALSE(accepts.completed(result(-error)).valid());
        EXPECT_FALSE(accepts.is_paused()) << error;
        accepts.arm();
        EXPECT_EQ(1U, prepared());
    }
}

TEST_F(acceptor_test, after_the_stop_nothing_is_prepared_and_it_ends_idle) {
    acceptor accepts{ring_, listener_};
    accepts.arm();
    std::uint32_t in_flight = prepared();
    EXPECT_FALSE(accepts.is_idle());
    accepts.stop();
    // One had been accepted already: it is the server's to close.
    EXPECT_EQ(9, accepts.completed(result(9)).value);
    while (--in_flight > 0) EXPECT_FALSE(accepts.completed(result(-ECANCELED)).valid());
    EXPECT_TRUE(accepts.is_idle());
    EXPECT_FALSE(accepts.is_paused());
    accepts.arm();
    EXPECT_EQ(0U, prepared());
}

TEST_F(acceptor_test, a_full_queue_leaves_the_rest_for_later) {
    acceptor accepts{ring_, listener_};
    while (ring_.prepare_nop(1) != nullptr) {
    }
    accepts.arm();
    EXPECT_TRUE(accepts.is_idle());
    ASSERT_GE(ring_.submit(), 0);
    room_ = ring_.submission_queue_space();
    accepts.arm();
    EXPECT_GE(prepared(), 1U);
}

}  // namespace
}  // namespace echo
