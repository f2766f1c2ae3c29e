// SPDX-License-Identifier: MIT
// multishot_accept_test.cpp - one accept for every connection, and many accepts at once.

#include <set>

#include "entries.hpp"
#include "limits.hpp"

namespace ioring::conformance {
namespace {

class multishot_accept_test : public backend_test {
protected:
    void SetUp() override {
        backend_test::SetUp();
        listener_ = listen_on("127.0.0.1:0", /*backlog=*/256);
    }
    void connect_clients(std::size_t count) {
        for (std::size_t each = 0; each < count; ++each) {
            clients_.push_back(connect_to(listener_.address));
        }
    }
    // Keeps an accepted connection; a descriptor never comes twice.
    void keep(const cqe& done) {
        ASSERT_LE(0, done.res);
        EXPECT_TRUE(numbers_.insert(done.res).second);
        accepted_.emplace_back(done.res);
    }

    plain_listener listener_;
    std::vector<socket_end> clients_;
    std::vector<socket_end> accepted_;
    std::set<int> numbers_;
};
INSTANTIATE_TEST_SUITE_P(backend, multishot_accept_test,
                         every_backend_with(feature::accept_multishot), backend_name);

TEST_P(multishot_accept_test, takes_each_connection_as_it_comes) {
    ring_.prepare_accept_multishot(listener_.socket.fd(), 1);
    expect_nothing();
    for (int round = 0; round < 10; ++round) {
        connect_clients(1);
        const cqe done = complete_one(1);
        EXPECT_TRUE(done.more());
        keep(done);
        ASSERT_TRUE(send_all(clients_.back(), "x"));
        EXPECT_EQ("x", receive(accepted_.back(), 1));
    }
    expect_nothing();
}

TEST_P(multishot_accept_test, takes_all_that_wait_when_it_is_armed) {
    connect_clients(50);
    ring_.prepare_accept_multishot(listener_.socket.fd(), 1);
    for (int each = 0; each < 50; ++each) {
        const cqe done = complete_one(1);
        EXPECT_TRUE(done.more());
        keep(done);
    }
    expect_nothing();
    connect_clients(1);
    keep(complete_one(1));
}

TEST_P(multishot_accept_test, accepted_descriptors_are_closed_on_exec) {
    ring_.prepare_accept_multishot(listener_.socket.fd(), 1);
    connect_clients(1);
    keep(complete_one(1));
    EXPECT_TRUE(plain::is_close_on_exec(accepted_.back().number()));
}

// Design section 5: 128 pre-posted accepts collapse into one.
TEST_P(multishot_accept_test, one_hundred_and_twenty_eight_single_accepts_get_one_each) {
    constexpr std::uint64_t count = 128;
    for (std::uint64_t each = 0; each < count; ++each) {
        prep_accept(next_sqe(), listener_.socket.fd(), nullptr, nullptr, socket_flag::cloexec,
                    each);
    }
    expect_nothing();
    connect_clients(count);
    std::set<std::uint64_t> which;
    for (const cqe& done : complete(count)) {
        EXPECT_TRUE(which.insert(done.user_data).second);
        EXPECT_FALSE(done.more());
        keep(done);
    }
    expect_nothing();
}

TEST_P(multishot_accept_test, that_waits_first_takes_a_connection_that_is_there_already) {
    connect_clients(1);
    ring_.prepare_accept(listener_.socket.fd(), 1)->ioprio = accept_flag::poll_first;
    const cqe done = complete_one(1);
    if (is_older_uring() && done.res == -EINVAL) return;  // Linux 6.10
    keep(done);
}

TEST_P(multishot_accept_test, two_on_one_listener_share_the_connections) {
    ring_.prepare_accept_multishot(listener_.socket.fd(), 1);
    ring_.prepare_accept_multishot(listener_.socket.fd(), 2);
    expect_nothing();
    connect_clients(20);
    for (const cqe& done : complete(20)) keep(done);
    expect_nothing();
}

TEST_P(multishot_accept_test, cancelled_ends_and_leaves_the_next_connection) {
    ring_.prepare_accept_multishot(listener_.socket.fd(), 1);
    connect_clients(1);
    keep(complete_one(1));
    ring_.prepare_cancel(1, 2);
    const auto all = complete(2);
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_FALSE(with_user_data(all, 1).more());
    EXPECT_EQ(0, result_of(all, 2));
    connect_clients(1);
    expect_nothing();
    ring_.prepare_accept(listener_.socket.fd(), 3);
    keep(complete_one(3));
}

TEST_P(multishot_accept_test, ends_when_its_listener_is_closed) {
    listener ours;
    std::string why;
    ASSERT_FALSE(ring_.create_listener("127.0.0.1:0", {}, ours, &why)) << why;
    ring_.prepare_accept_multishot(ours.descriptor(), 1);
    expect_nothing();
    ring_.close_listener(ours);
    const cqe done = complete_one(1);
    EXPECT_EQ(-ECANCELED, done.res);
    EXPECT_FALSE(done.more());
}

#if defined(RLIMIT_NOFILE)
TEST_P(multishot_accept_test, without_descriptors_ends_and_the_connection_stays) {
    connect_clients(1);
    {
        const no_more_descriptors none;
        ring_.prepare_accept_multishot(listener_.socket.fd(), 1);
        const cqe done = complete_one(1);
        EXPECT_EQ(-EMFILE, done.res);
        EXPECT_FALSE(done.more());
        expect_nothing();
        ring_.prepare_accept(listener_.socket.fd(), 2);
        EXPECT_EQ(-EMFILE, complete_one(2).res);
    }
    ring_.prepare_accept_multishot(listener_.socket.fd(), 3);
    keep(complete_one(3));
    ASSERT_TRUE(send_all(clients_.back(), "x"));
    EXPECT_EQ("x", receive(accepted_.back(), 1));
}
#endif

TEST_P(multishot_accept_test, of_what_does_not_listen_is_einval) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_accept_multishot(ours.fd(), 1);
    const cqe done = complete_one(1);
    EXPECT_EQ(-EINVAL, done.res);
    EXPECT_FALSE(done.more());
    ring_.prepare_accept_multishot(fd{-1}, 2);
    EXPECT_EQ(-EBADF, complete_one(2).res);
}

class multishot_accept_overflow_test : public multishot_accept_test {
    [[nodiscard]] ring_options options() const override {
        return {.sq_entries = 8, .cq_entries = 16, .connections_max = 8};
    }
};
INSTANTIATE_TEST_SUITE_P(backend, multishot_accept_overflow_test,
                         every_backend_with(feature::accept_multishot), backend_name);

TEST_P(multishot_accept_overflow_test, a_full_completion_queue_loses_no_connection) {
    connect_clients(60);
    ring_.prepare_accept_multishot(listener_.socket.fd(), 1);
    for (int round = 0; round < 3; ++round) ASSERT_LE(0, wait_through(ring_, 16, 5ms));
    while (accepted_.size() < 60 && !HasFailure()) {
        const cqe done = complete_one(1);
        keep(done);
        if (!done.more()) ring_.prepare_accept_multishot(listener_.socket.fd(), 1);
    }
    EXPECT_EQ(60U, numbers_.size());
    expect_nothing();
}

}  // namespace
}  // namespace ioring::conformance
