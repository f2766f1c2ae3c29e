// SPDX-License-Identifier: MIT
// recv_test.cpp - what a single recv on a stream promises.

#include "conformance.hpp"

namespace ioring::conformance {
namespace {

class recv_test : public backend_test {
protected:
    void park_recv(const socket_end& at, std::uint64_t user_data, std::uint32_t msg_flags = 0) {
        prep_recv(next_sqe(), at.fd(), buffer_, msg_flags, user_data);
        expect_nothing();
    }

    std::array<std::byte, 16> buffer_{};
};
INSTANTIATE_TEST_SUITE_P(backend, recv_test, every_backend(), backend_name);

TEST_P(recv_test, takes_bytes_that_are_there_already) {
    const auto [ours, theirs] = connected_pair();
    ASSERT_TRUE(send_all(theirs, "hello"));
    ASSERT_EQ(5, recv(ours, buffer_));
    EXPECT_EQ("hello", text(buffer_, 5));
}

TEST_P(recv_test, waits_for_bytes_that_come_later) {
    const auto [ours, theirs] = connected_pair();
    park_recv(ours, 7);  // Nothing was sent: it must be parked, not failed.
    ASSERT_TRUE(send_all(theirs, "x"));
    const cqe done = complete_one(7);
    EXPECT_EQ(1, done.res);
    EXPECT_FALSE(done.more());
    EXPECT_EQ("x", text(buffer_, 1));
}

TEST_P(recv_test, moves_no_more_than_its_buffer_and_leaves_the_rest) {
    const auto [ours, theirs] = connected_pair();
    ASSERT_TRUE(send_all(theirs, "abcdefgh"));
    ASSERT_EQ(3, recv(ours, std::span{buffer_}.first(3)));
    EXPECT_EQ("abc", text(buffer_, 3));
    EXPECT_EQ(std::byte{0}, buffer_[3]);
    ASSERT_EQ(5, recv(ours, buffer_));
    EXPECT_EQ("defgh", text(buffer_, 5));
}

TEST_P(recv_test, end_of_stream_is_zero_bytes_not_an_error) {
    auto [ours, theirs] = connected_pair();
    theirs.close();
    EXPECT_EQ(0, recv(ours, buffer_));
    EXPECT_EQ(0, recv(ours, buffer_));  // And stays so.
}

TEST_P(recv_test, end_of_stream_ends_a_parked_one) {
    auto [ours, theirs] = connected_pair();
    park_recv(ours, 1);
    theirs.close();
    EXPECT_EQ(0, complete_one(1).res);
}

// Design section 5: EOF can overtake unread data.
TEST_P(recv_test, all_bytes_come_before_the_end_of_the_stream) {
    auto [ours, theirs] = connected_pair();
    park_recv(ours, 1);
    const std::string sent = pattern(1000);
    ASSERT_TRUE(send_all(theirs, sent));
    theirs.close();
    std::string got;
    int res = complete_one(1).res;
    for (; res > 0; res = recv(ours, buffer_)) {
        got += text(buffer_, static_cast<std::size_t>(res));
    }
    EXPECT_EQ(0, res);
    EXPECT_EQ(sent, got);
}

TEST_P(recv_test, a_half_closed_peer_can_still_be_sent_to) {
    const auto [ours, theirs] = connected_pair();
    park_recv(ours, 1);
    shut_down(theirs, shutdown_how::write);
    EXPECT_EQ(0, complete_one(1).res);
    EXPECT_EQ(2, send(ours, "ok"));
    EXPECT_EQ("ok", receive(theirs, 2));
}

TEST_P(recv_test, a_reset_is_an_error_once_and_then_the_end) {
    if (plain::has_flaw(plain::flaw::forgets_resets)) GTEST_SKIP() << "the system forgets resets";
    auto [ours, theirs] = connected_pair();
    theirs.reset();
    EXPECT_EQ(-ECONNRESET, recv(ours, buffer_));
    EXPECT_EQ(0, recv(ours, buffer_));
}

TEST_P(recv_test, a_reset_ends_a_parked_one) {
    auto [ours, theirs] = connected_pair();
    park_recv(ours, 1);
    theirs.reset();
    EXPECT_EQ(-ECONNRESET, complete_one(1).res);
}

// Design section 5: a spurious EAGAIN is taken for a disconnect.
TEST_P(recv_test, a_readiness_that_comes_to_nothing_is_waited_out) {
    const auto [ours, theirs] = connected_pair();
    park_recv(ours, 1);
    for (int round = 0; round < 3; ++round) {
        ASSERT_TRUE(send_all(theirs, "stolen"));
        if (receive_some(ours) == "stolen") {  // Somebody else was faster.
            expect_nothing();
        } else {  // A kernel that does its work on our way out of the send.
            ASSERT_EQ(6, complete_one(1).res);
            park_recv(ours, 1);
        }
    }
    ASSERT_TRUE(send_all(theirs, "mine"));
    EXPECT_EQ(4, complete_one(1).res);
    EXPECT_EQ("mine", text(buffer_, 4));
}

TEST_P(recv_test, a_nonblocking_descriptor_makes_no_difference) {
    const auto [ours, theirs] = connected_pair();
    set_nonblocking(ours);
    park_recv(ours, 1);
    ASSERT_TRUE(send_all(theirs, "x"));
    EXPECT_EQ(1, complete_one(1).res);
}

TEST_P(recv_test, dont_wait_answers_at_once) {
    const auto [ours, theirs] = connected_pair();
    EXPECT_EQ(-EAGAIN, recv(ours, buffer_, msg_flag::dont_wait));
    ASSERT_TRUE(send_all(theirs, "x"));
    EXPECT_EQ(1, recv(ours, buffer_, msg_flag::dont_wait));
    EXPECT_EQ(-EAGAIN, recv(ours, buffer_, msg_flag::dont_wait));
}

TEST_P(recv_test, wait_all_collects_until_the_buffer_is_full) {
    const auto [ours, theirs] = connected_pair();
    prep_recv(next_sqe(), ours.fd(), std::span{buffer_}.first(6), msg_flag::wait_all, 1);
    for (const char* const piece : {"ab", "cd"}) {
        ASSERT_TRUE(send_all(theirs, piece));
        expect_nothing();
    }
    ASSERT_TRUE(send_all(theirs, "efgh"));
    EXPECT_EQ(6, complete_one(1).res);
    EXPECT_EQ("abcdef", text(buffer_, 6));
    EXPECT_EQ("gh", receive(ours, 2));  // Not a byte more was taken.
}

TEST_P(recv_test, wait_all_gives_what_came_before_the_end) {
    auto [ours, theirs] = connected_pair();
    park_recv(ours, 1, msg_flag::wait_all);
    ASSERT_TRUE(send_all(theirs, "abc"));
    expect_nothing();
    theirs.close();
    EXPECT_EQ(3, complete_one(1).res);
    EXPECT_EQ("abc", text(buffer_, 3));
    EXPECT_EQ(0, recv(ours, buffer_));
}

TEST_P(recv_test, wait_all_gives_what_came_before_an_error) {
    auto [ours, theirs] = connected_pair();
    park_recv(ours, 1, msg_flag::wait_all);
    ASSERT_TRUE(send_all(theirs, "abc"));
    expect_nothing();
    theirs.reset();
    EXPECT_EQ(3, complete_one(1).res);
}

TEST_P(recv_test, wait_all_gives_what_came_before_it_was_cancelled) {
    const auto [ours, theirs] = connected_pair();
    park_recv(ours, 1, msg_flag::wait_all);
    ASSERT_TRUE(send_all(theirs, "abc"));
    expect_nothing();
    prep_cancel(next_sqe(), /*target=*/1, 0, /*user_data=*/2);
    const std::vector<cqe> all = complete(2);
    EXPECT_EQ(0, with_user_data(all, 2).res);
    const int result = with_user_data(all, 1).res;
    if (is_faulty() &&
        result == -ECANCELED) {  // It had not heard of them: they are where they were.
        EXPECT_EQ(3, recv(ours, buffer_, msg_flag::dont_wait));
    } else {
        EXPECT_EQ(3, result);
    }
}

TEST_P(recv_test, peek_leaves_the_bytes_where_they_are) {
    const auto [ours, theirs] = connected_pair();
    park_recv(ours, 1, msg_flag::peek);
    ASSERT_TRUE(send_all(theirs, "abc"));
    EXPECT_EQ(3, complete_one(1).res);
    EXPECT_EQ(3, recv(ours, buffer_, msg_flag::peek));
    EXPECT_EQ(3, recv(ours, buffer_));
    EXPECT_EQ("abc", text(buffer_, 3));
    EXPECT_EQ(-EAGAIN, recv(ours, buffer_, msg_flag::peek | msg_flag::dont_wait));
}

TEST_P(recv_test, poll_first_loses_nothing_that_is_there_already) {
    const auto [ours, theirs] = connected_pair();
    ASSERT_TRUE(send_all(theirs, "abc"));
    sqe& entry = next_sqe();
    prep_recv(entry, ours.fd(), buffer_, 0, 1);
    entry.ioprio = transfer_flag::poll_first;
    EXPECT_EQ(3, complete_one(1).res);
}

TEST_P(recv_test, no_room_is_zero_bytes_and_consumes_none) {
    const auto [ours, theirs] = connected_pair();
    ASSERT_TRUE(send_all(theirs, "abc"));
    EXPECT_EQ(0, recv(ours, {}));
    EXPECT_EQ(3, recv(ours, buffer_));
}

TEST_P(recv_test, a_bad_pointer_is_an_error_and_costs_no_bytes) {
    const auto [ours, theirs] = connected_pair();
    ASSERT_TRUE(send_all(theirs, "abc"));
    sqe entry;
    prep_recv(entry, ours.fd(), buffer_, 0, 1);
    entry.addr = 0;
    EXPECT_EQ(-EFAULT, run(entry).res);
    EXPECT_EQ(3, recv(ours, buffer_));
}

TEST_P(recv_test, names_what_is_wrong_with_the_descriptor) {
    EXPECT_EQ(-EBADF, recv(socket_end{}, buffer_));
    const socket_pair ends = pipe_pair();
    EXPECT_EQ(-ENOTSOCK, recv(ends.ours, buffer_));
    EXPECT_EQ(-ENOTCONN, recv(open_stream(address_family::ipv4), buffer_));
    EXPECT_EQ(-ENOTCONN, recv(listen_on("127.0.0.1:0").socket, buffer_));
}

TEST_P(recv_test, one_shut_down_here_has_ended) {
    const auto [ours, theirs] = connected_pair();
    park_recv(ours, 1);
    EXPECT_EQ(0, ring_.shutdown_now(ours.fd(), shutdown_how::read));
    EXPECT_EQ(0, complete_one(1).res);
    EXPECT_EQ(0, recv(ours, buffer_));
}

TEST_P(recv_test, every_kind_of_stream_parks_and_ends_alike) {
    for (socket_pair& both : every_stream()) {
        park_recv(both.ours, 1);
        ASSERT_TRUE(send_all(both.theirs, "bytes"));
        EXPECT_EQ(5, complete_one(1).res);
        park_recv(both.ours, 2);
        both.theirs.close();
        EXPECT_EQ(0, complete_one(2).res);
    }
}

}  // namespace
}  // namespace ioring::conformance
