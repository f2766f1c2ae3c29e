// SPDX-License-Identifier: MIT
// fd_reuse_posix_test.cpp - a descriptor's number that a second file gets starts afresh.
//
// A poller that is told of numbers, or that remembers what it armed, waits for a file that is gone.
#include <fcntl.h>
#include <unistd.h>

#include <functional>

#include "conformance.hpp"

namespace ioring::conformance {
namespace {

class fd_reuse_test : public backend_test {
protected:
    // A number that nobody is given by chance.
    static constexpr int number = 700;

    // Gives the number, which must be free, to `next`.
    static socket_end as_number(const socket_end& next) {
        socket_end renamed{::fcntl(next.number(), F_DUPFD, number)};
        EXPECT_EQ(number, renamed.number());
        return renamed;
    }
    // Three connections, one after the other, of one number, each used for both directions, so that
    // the backend knows the number well, and closed by `close`.
    void reuse_after(const std::function<void(socket_end&)>& close) {
        for (int round = 0; round < 3 && !HasFailure(); ++round) {
            auto [ours, theirs] = connected_pair();
            ours = as_number(ours);
            expect_works(ours, theirs);
            close(ours);
            EXPECT_EQ("", receive_to_end(theirs));
        }
    }
    // Takes what waits already, waits for what does not, and sends.
    void expect_works(const socket_end& ours, const socket_end& theirs) {
        std::array<std::byte, 16> buffer{};
        ASSERT_TRUE(send_all(theirs, "there"));
        ASSERT_EQ(5, recv(ours, buffer));
        prep_recv(next_sqe(), ours.fd(), buffer, 0, 1);
        expect_nothing();
        ASSERT_TRUE(send_all(theirs, "x"));
        EXPECT_EQ(1, complete_one(1).res);
        EXPECT_EQ(1, send(ours, "y"));
        EXPECT_EQ("y", receive(theirs, 1));
    }
};
INSTANTIATE_TEST_SUITE_P(backend, fd_reuse_test, every_backend(), backend_name);

TEST_P(fd_reuse_test, a_number_works_again_after_close_at_once) {
    reuse_after([&](socket_end& which) { EXPECT_EQ(0, ring_.close_now(fd{which.release()})); });
}

TEST_P(fd_reuse_test, a_number_works_again_after_a_close_by_an_entry) {
    reuse_after([&](socket_end& which) {
        prep_close(next_sqe(), fd{which.release()}, 5);
        EXPECT_EQ(0, complete_one(5).res);
    });
}

TEST_P(fd_reuse_test, a_number_works_again_after_close_with_cancel) {
    reuse_after([&](socket_end& which) {
        std::array<std::byte, 16> buffer{};
        prep_recv(next_sqe(), which.fd(), buffer, 0, 4);
        expect_nothing();
        ASSERT_NE(nullptr, ring_.prepare_close(fd{which.release()}, 5));
        const std::vector<cqe> all = complete(2);
        EXPECT_EQ(-ECANCELED, with_user_data(all, 4).res);
        EXPECT_EQ(0, with_user_data(all, 5).res);
    });
}

TEST_P(fd_reuse_test, a_number_works_again_after_a_close_behind_the_rings_back) {
    reuse_after([](socket_end& which) { which.close(); });
}

TEST_P(fd_reuse_test, a_number_works_again_after_another_file_was_put_over_it) {
    auto [ours, theirs] = connected_pair();
    expect_works(ours, theirs);
    const auto [next, far] = connected_pair();
    ASSERT_EQ(ours.number(), ::dup2(next.number(), ours.number()));
    EXPECT_EQ("", receive_to_end(theirs));
    expect_works(ours, far);
}

TEST_P(fd_reuse_test, a_listener_can_take_a_connections_number_and_back) {
    auto [ours, theirs] = connected_pair();
    ours = as_number(ours);
    expect_works(ours, theirs);
    ours.close();
    plain_listener listener = listen_on("127.0.0.1:0");
    listener.socket = as_number(listener.socket);
    prep_accept(next_sqe(), listener.socket.fd(), nullptr, nullptr, 0, 1);
    expect_nothing();
    const socket_end client = connect_to(listener.address);
    const socket_end accepted{complete_one(1).res};
    EXPECT_LE(0, accepted.number());
    listener.socket.close();
    auto [later, far] = connected_pair();
    later = as_number(later);
    expect_works(later, far);
}

TEST_P(fd_reuse_test, completions_of_the_old_file_never_come_from_the_new_one) {
    auto [ours, theirs] = connected_pair();
    ours = as_number(ours);
    std::array<std::byte, 16> buffer{};
    prep_recv(next_sqe(), ours.fd(), buffer, 0, 1);
    expect_nothing();
    ASSERT_NE(nullptr, ring_.prepare_close(fd{ours.release()}, 2));
    ASSERT_EQ(-ECANCELED, with_user_data(complete(2), 1).res);
    auto [next, far] = connected_pair();
    next = as_number(next);
    ASSERT_TRUE(send_all(far, "for the new one"));
    expect_nothing();
    EXPECT_EQ(15, recv(next, buffer));
    EXPECT_EQ(std::byte{'f'}, buffer[0]);
}

// What becomes of the closed one's own operations is undefined (D4), except that each ends once: at
// the latest when it is cancelled, which epoll and io_uring need. They hear nothing of a close.
TEST_P(fd_reuse_test, one_closed_behind_the_ring_harms_no_other) {
    auto [closed, far] = connected_pair();
    std::vector<socket_pair> others;
    for (int i = 0; i < 8; ++i) others.push_back(connected_pair());
    std::array<std::byte, 16> buffer{};
    prep_poll_add(next_sqe(), closed.fd(), poll_event::in, 100);
    prep_recv(next_sqe(), closed.fd(), std::span{buffer}.last(1), 0, 101);
    ASSERT_EQ(2, ring_.submit());  // Parked, and perhaps not yet told to the poller.
    closed.close();
    for (std::size_t i = 0; i < others.size(); ++i) {
        prep_recv(next_sqe(), others[i].ours.fd(), std::span{buffer}.subspan(i, 1), 0, i);
    }
    ASSERT_EQ(8, ring_.submit());
    for (const socket_pair& each : others) ASSERT_TRUE(send_all(each.theirs, "x"));
    std::vector<cqe> of_closed;
    for (std::size_t done = 0; done < others.size() && !HasFailure();) {
        const cqe one = complete_one();
        if (one.user_data >= 100) {
            of_closed.push_back(one);
        } else {
            EXPECT_EQ(1, one.res);
            ++done;
        }
    }
    const bool hears_of_it = GetParam() == "kqueue" || GetParam() == "poll";
    if (hears_of_it) {
        while (of_closed.size() < 2 && !HasFailure()) of_closed.push_back(complete_one());
        for (const cqe& done : of_closed) EXPECT_EQ(-EBADF, done.res) << done.user_data;
    }
    for (const std::uint64_t target : {100U, 101U}) prep_cancel(next_sqe(), target, 0, 102);
    for (const cqe& done : complete(4 - of_closed.size())) {
        if (done.user_data != 102) of_closed.push_back(done);
    }
    (void)with_user_data(of_closed, 100);
    (void)with_user_data(of_closed, 101);
    expect_nothing();
}

}  // namespace
}  // namespace ioring::conformance
