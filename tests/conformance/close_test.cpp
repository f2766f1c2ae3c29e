// SPDX-License-Identifier: MIT
// close_test.cpp - the three ways to close, alone and with operations in flight.
//
// Bare close (prep_close, close_now) with operations in flight is an allowed difference (D3):
// io_uring leaves them armed, user-space kernels end them. What holds everywhere is one completion
// each, at the latest when they are cancelled.
#include <fcntl.h>
#include <unistd.h>

#include "conformance.hpp"

namespace ioring::conformance {
namespace {

class close_test : public backend_test {
protected:
    int close(const socket_end& which) {
        sqe entry;
        prep_close(entry, which.fd(), 99);
        return run(entry).res;
    }
    static bool is_open(int number) { return plain::is_open(number); }
    // Ends what `user_data` names if it still is in flight; its one completion.
    cqe end_of(std::uint64_t user_data) {
        prep_cancel(next_sqe(), user_data, 0, 98);
        const std::vector<cqe> all = complete(2);
        const int result = with_user_data(all, 98).res;
        EXPECT_TRUE(result == 0 || result == -ENOENT || result == -EALREADY) << result;  // D12
        return with_user_data(all, user_data);
    }

    std::array<std::byte, 16> buffer_{};
};
INSTANTIATE_TEST_SUITE_P(backend, close_test, every_backend(), backend_name);

TEST_P(close_test, gives_the_number_back_and_ends_the_stream) {
    for (socket_pair& both : every_stream()) {
        EXPECT_EQ(0, close(both.ours));
        EXPECT_FALSE(is_open(both.ours.release()));
        EXPECT_EQ("", receive_to_end(both.theirs));
    }
}

TEST_P(close_test, what_was_sent_before_still_arrives) {
    auto [ours, theirs] = connected_pair();
    ASSERT_EQ(5, send(ours, "bytes"));
    EXPECT_EQ(0, close(ours));
    ours.release();
    EXPECT_EQ("bytes", receive_to_end(theirs));
}

TEST_P(close_test, works_on_what_is_no_socket) {
    socket_pair ends = pipe_pair();
    EXPECT_EQ(0, close(ends.ours));
    EXPECT_FALSE(is_open(ends.ours.release()));
    EXPECT_EQ(0, ring_.close_now(ends.theirs.fd()));
    EXPECT_FALSE(is_open(ends.theirs.release()));
}

TEST_P(close_test, a_descriptor_that_is_not_open_is_an_error) {
    EXPECT_EQ(-EBADF, close(socket_end{}));
    EXPECT_EQ(-EBADF, close(socket_end{1'000'000}));
    EXPECT_EQ(-EBADF, ring_.close_now(fd{}));
    EXPECT_EQ(-EBADF, ring_.close_now(fd{1'000'000}));
}

TEST_P(close_test, at_once_gives_the_number_back_and_ends_the_stream) {
    auto [ours, theirs] = connected_pair();
    EXPECT_EQ(0, ring_.close_now(ours.fd()));
    EXPECT_FALSE(is_open(ours.release()));
    EXPECT_EQ("", receive_to_end(theirs));
}

TEST_P(close_test, with_cancel_ends_a_parked_recv_and_the_stream) {
    auto [ours, theirs] = connected_pair();
    prep_recv(next_sqe(), ours.fd(), buffer_, 0, 1);
    expect_nothing();
    ASSERT_NE(nullptr, ring_.prepare_close(ours.fd(), 2));
    const std::vector<cqe> all = complete(2);
    EXPECT_EQ(-ECANCELED, with_user_data(all, 1).res);
    EXPECT_EQ(0, with_user_data(all, 2).res);
    EXPECT_FALSE(is_open(ours.release()));
    EXPECT_EQ("", receive_to_end(theirs));
    expect_nothing();
}

TEST_P(close_test, with_cancel_ends_everything_of_its_descriptor_and_nothing_else) {
    auto [ours, theirs] = local_pair();
    const auto [others, far] = connected_pair();
    fill(ours);
    prep_recv(next_sqe(), ours.fd(), buffer_, 0, 1);
    prep_recv(next_sqe(), ours.fd(), buffer_, 0, 2);
    prep_send(next_sqe(), ours.fd(), bytes_of("x"), msg_flag::no_signal, 3);
    prep_poll_add(next_sqe(), ours.fd(), poll_event::pri, 4);
    prep_recv(next_sqe(), others.fd(), buffer_, 0, 5);
    expect_nothing();
    ASSERT_NE(nullptr, ring_.prepare_close(ours.fd(), 6));
    ours.release();
    const std::vector<cqe> all = complete(5);
    for (const std::uint64_t each : {1U, 2U, 3U, 4U}) {
        EXPECT_EQ(-ECANCELED, with_user_data(all, each).res) << each;
    }
    EXPECT_EQ(0, with_user_data(all, 6).res);
    ASSERT_TRUE(send_all(far, "x"));
    EXPECT_EQ(1, complete_one(5).res);
}

TEST_P(close_test, with_cancel_closes_what_has_nothing_in_flight) {
    auto [ours, theirs] = connected_pair();
    ASSERT_NE(nullptr, ring_.prepare_close(ours.fd(), 1));
    EXPECT_EQ(0, complete_one(1).res);
    EXPECT_FALSE(is_open(ours.release()));
    EXPECT_EQ("", receive_to_end(theirs));
}

TEST_P(close_test, with_cancel_names_a_bad_descriptor) {
    ASSERT_NE(nullptr, ring_.prepare_close(fd{1'000'000}, 1));
    EXPECT_EQ(-EBADF, complete_one(1).res);
    expect_nothing();
}

TEST_P(close_test, with_cancel_ends_a_listeners_accepts) {
    plain_listener listener = listen_on("127.0.0.1:0");
    prep_accept(next_sqe(), listener.socket.fd(), nullptr, nullptr, 0, 1);
    prep_accept_multishot(next_sqe(), listener.socket.fd(), 0, 2);
    expect_nothing();
    ASSERT_NE(nullptr, ring_.prepare_close(listener.socket.fd(), 3));
    listener.socket.release();
    const std::vector<cqe> all = complete(3);
    EXPECT_EQ(-ECANCELED, with_user_data(all, 1).res);
    EXPECT_EQ(-ECANCELED, with_user_data(all, 2).res);
    EXPECT_EQ(0, with_user_data(all, 3).res);
    expect_refused(listener.address);
}

TEST_P(close_test, bare_leaves_each_operation_its_one_completion) {
    auto [ours, theirs] = connected_pair();
    prep_recv(next_sqe(), ours.fd(), buffer_, 0, 1);
    expect_nothing();
    prep_close(next_sqe(), ours.fd(), 2);
    if (is_uring()) {
        EXPECT_EQ(0, complete_one(2).res);
        expect_nothing();  // The recv is armed still: it holds the socket open.
        EXPECT_FALSE(readable(theirs, 0ms));
        EXPECT_EQ(-ECANCELED, end_of(1).res);
    } else {
        const std::vector<cqe> all = complete(2);
        EXPECT_EQ(-ECANCELED, with_user_data(all, 1).res);
        EXPECT_EQ(0, with_user_data(all, 2).res);
    }
    EXPECT_FALSE(is_open(ours.release()));
    EXPECT_EQ("", receive_to_end(theirs));
    expect_nothing();
}

TEST_P(close_test, at_once_leaves_each_operation_its_one_completion) {
    auto [ours, theirs] = connected_pair();
    prep_recv(next_sqe(), ours.fd(), buffer_, 0, 1);
    expect_nothing();
    EXPECT_EQ(0, ring_.close_now(ours.fd()));
    EXPECT_FALSE(is_open(ours.release()));
    EXPECT_EQ(-ECANCELED, end_of(1).res);
    EXPECT_EQ("", receive_to_end(theirs));
    expect_nothing();
}

TEST_P(close_test, a_send_that_is_under_way_is_cut_and_no_byte_sent_twice) {
    auto [ours, theirs] = narrow_pair();
    const std::string bytes = pattern(500'000);
    prep_send(next_sqe(), ours.fd(), bytes_of(bytes), msg_flag::no_signal | msg_flag::wait_all, 1);
    expect_nothing();
    ASSERT_NE(nullptr, ring_.prepare_close(ours.fd(), 2));
    ours.release();
    const std::vector<cqe> all = complete(2);
    const int sent = with_user_data(all, 1).res;  // As much as had moved.
    ASSERT_LT(0, sent);
    EXPECT_TRUE(bytes.substr(0, static_cast<std::size_t>(sent)) == receive_to_end(theirs));
}

#if defined(F_DUPFD)
TEST_P(close_test, closing_one_of_two_names_of_a_socket_leaves_the_other) {
    auto [ours, theirs] = connected_pair();
    const socket_end twin{::dup(ours.number())};
    prep_recv(next_sqe(), twin.fd(), buffer_, 0, 1);
    expect_nothing();
    EXPECT_EQ(0, close(ours));
    ours.release();
    expect_nothing();
    ASSERT_TRUE(send_all(theirs, "x"));
    EXPECT_EQ(1, complete_one(1).res);
}
#endif

}  // namespace
}  // namespace ioring::conformance
