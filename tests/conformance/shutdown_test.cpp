// SPDX-License-Identifier: MIT
// shutdown_test.cpp - the shutdown operation, and the call that does the same at once.

#include "conformance.hpp"

namespace ioring::conformance {
namespace {

class shutdown_test : public backend_test {
protected:
    // By an entry or by the call, whichever the test is at.
    int shut_down(const socket_end& which, shutdown_how how, bool at_once) {
        if (at_once) return ring_.shutdown_now(which.fd(), how);
        sqe entry;
        prep_shutdown(entry, which.fd(), how, 99);
        return run(entry).res;
    }

    std::array<std::byte, 16> buffer_{};
};
INSTANTIATE_TEST_SUITE_P(backend, shutdown_test, every_backend(), backend_name);

TEST_P(shutdown_test, of_the_write_side_ends_the_peers_stream_after_all_bytes) {
    for (const bool at_once : {false, true}) {
        for (const socket_pair& both : every_stream()) {
            ASSERT_EQ(5, send(both.ours, "bytes"));
            EXPECT_EQ(0, shut_down(both.ours, shutdown_how::write, at_once));
            EXPECT_EQ("bytes", receive_to_end(both.theirs));
            ASSERT_TRUE(send_all(both.theirs, "still"));
            EXPECT_EQ(5, recv(both.ours, buffer_));
        }
    }
}

TEST_P(shutdown_test, of_the_read_side_ends_a_parked_recv) {
    for (const bool at_once : {false, true}) {
        const auto [ours, theirs] = connected_pair();
        prep_recv(next_sqe(), ours.fd(), buffer_, 0, 1);
        expect_nothing();
        if (at_once) {
            EXPECT_EQ(0, ring_.shutdown_now(ours.fd(), shutdown_how::read));
            EXPECT_EQ(0, complete_one(1).res);
        } else {
            prep_shutdown(next_sqe(), ours.fd(), shutdown_how::read, 2);
            for (const cqe& done : complete(2)) EXPECT_EQ(0, done.res);
        }
        EXPECT_EQ(2, send(ours, "ok"));  // The other direction lives.
        EXPECT_EQ("ok", receive(theirs, 2));
    }
}

TEST_P(shutdown_test, of_both_ends_everything_that_is_parked) {
    const auto [ours, theirs] = local_pair();
    fill(ours);
    prep_recv(next_sqe(), ours.fd(), buffer_, 0, 1);
    prep_send(next_sqe(), ours.fd(), bytes_of("x"), msg_flag::no_signal, 2);
    expect_nothing();
    prep_shutdown(next_sqe(), ours.fd(), shutdown_how::both, 3);
    const std::vector<cqe> all = complete(3);
    EXPECT_EQ(0, with_user_data(all, 1).res);
    EXPECT_EQ(-EPIPE, with_user_data(all, 2).res);
    EXPECT_EQ(0, with_user_data(all, 3).res);
}

TEST_P(shutdown_test, twice_is_no_error_while_the_peer_is_there) {
    for (const bool at_once : {false, true}) {
        const auto [ours, theirs] = connected_pair();
        EXPECT_EQ(0, shut_down(ours, shutdown_how::write, at_once));
        EXPECT_EQ(0, shut_down(ours, shutdown_how::write, at_once));
    }
}

TEST_P(shutdown_test, names_what_is_wrong) {
    for (const bool at_once : {false, true}) {
        EXPECT_EQ(-EBADF, shut_down(socket_end{}, shutdown_how::both, at_once));
        EXPECT_EQ(-ENOTSOCK, shut_down(pipe_pair().ours, shutdown_how::both, at_once));
        EXPECT_EQ(-ENOTCONN,
                  shut_down(open_stream(address_family::ipv4), shutdown_how::both, at_once));
        EXPECT_EQ(-EINVAL, shut_down(connected_pair().ours, shutdown_how{7}, at_once));
    }
}

// Design section 5: graceful disconnect with unsent data never sends FIN.
TEST_P(shutdown_test, linked_behind_a_send_the_end_follows_the_last_byte) {
    const auto [ours, theirs] = narrow_pair();
    const std::string bytes = pattern(500'000);
    sqe& entry = next_sqe();
    prep_send(entry, ours.fd(), bytes_of(bytes), msg_flag::no_signal | msg_flag::wait_all, 1);
    entry.flags |= sqe_flag::io_link;
    prep_shutdown(next_sqe(), ours.fd(), shutdown_how::write, 2);
    std::string got(bytes.size(), '\0');
    prep_recv(next_sqe(), theirs.fd(), bytes_of(got), msg_flag::wait_all, 3);
    const std::vector<cqe> all = complete(3);
    EXPECT_EQ(500'000, with_user_data(all, 1).res);
    EXPECT_EQ(0, with_user_data(all, 2).res);
    EXPECT_TRUE(bytes == got);
    EXPECT_EQ("", receive_to_end(theirs));
}

}  // namespace
}  // namespace ioring::conformance
