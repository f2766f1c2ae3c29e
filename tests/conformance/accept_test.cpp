// SPDX-License-Identifier: MIT
// accept_test.cpp - what accept promises, one connection at a time.

#include "conformance.hpp"
#include "limits.hpp"

namespace ioring::conformance {
namespace {

class accept_test : public backend_test {
protected:
    void prepare_accept(std::uint64_t user_data, std::uint32_t flags = socket_flag::cloexec) {
        prep_accept(next_sqe(), listener_.socket.fd(), nullptr, nullptr, flags, user_data);
    }
    // One connection that waits, or comes.
    socket_end accept_one(std::uint32_t flags = socket_flag::cloexec) {
        prepare_accept(1, flags);
        const int result = complete_one(1).res;
        EXPECT_LE(0, result);
        return socket_end{result};
    }
    // Whether bytes go through both ways.
    static void expect_connected(const socket_end& left, const socket_end& right) {
        EXPECT_TRUE(send_all(left, "l"));
        EXPECT_EQ("l", receive(right, 1));
        EXPECT_TRUE(send_all(right, "r"));
        EXPECT_EQ("r", receive(left, 1));
    }

    plain_listener listener_ = listen_on("127.0.0.1:0");
};
INSTANTIATE_TEST_SUITE_P(backend, accept_test, every_backend(), backend_name);

TEST_P(accept_test, waits_for_a_connection_that_comes_later) {
    prepare_accept(1);
    expect_nothing();
    const socket_end client = connect_to(listener_.address);
    const cqe done = complete_one(1);
    ASSERT_LE(0, done.res);
    EXPECT_FALSE(done.more());
    expect_connected(socket_end{done.res}, client);
}

TEST_P(accept_test, takes_connections_that_wait_already_oldest_first) {
    const socket_end first = connect_to(listener_.address);
    const socket_end second = connect_to(listener_.address);
    expect_connected(accept_one(), first);
    expect_connected(accept_one(), second);
}

TEST_P(accept_test, tells_the_address_of_the_peer) {
    const socket_end client = connect_to(listener_.address);
    endpoint peer;
    auto bytes = static_cast<std::uint32_t>(endpoint::capacity);
    prep_accept(next_sqe(), listener_.socket.fd(), static_cast<::sockaddr*>(peer.data()), &bytes,
                socket_flag::cloexec, 1);
    const socket_end accepted{complete_one(1).res};
    peer.resize(bytes);
    EXPECT_EQ(address_of(client), peer);
}

TEST_P(accept_test, tells_the_address_of_a_peer_that_came_later) {
    endpoint peer;
    auto bytes = static_cast<std::uint32_t>(endpoint::capacity);
    prep_accept(next_sqe(), listener_.socket.fd(), static_cast<::sockaddr*>(peer.data()), &bytes,
                socket_flag::cloexec, 1);
    expect_nothing();
    const socket_end client = connect_to(listener_.address);
    const socket_end accepted{complete_one(1).res};
    peer.resize(bytes);
    EXPECT_EQ(address_of(client), peer);
}

TEST_P(accept_test, an_address_without_room_is_cut_and_its_true_size_told) {
    const socket_end client = connect_to(listener_.address);
    std::array<std::byte, 16> room;
    room.fill(std::byte{0xee});
    std::uint32_t bytes = 4;
    prep_accept(next_sqe(), listener_.socket.fd(), reinterpret_cast<::sockaddr*>(room.data()),
                &bytes, socket_flag::cloexec, 1);
    const socket_end accepted{complete_one(1).res};
    EXPECT_LE(0, accepted.number());
    EXPECT_EQ(address_of(client).size(), bytes);
    EXPECT_EQ(std::byte{0xee}, room[4]);
}

TEST_P(accept_test, a_child_does_not_inherit_what_the_ring_accepts) {
    const socket_end client = connect_to(listener_.address);
    ASSERT_NE(nullptr, ring_.prepare_accept(listener_.socket.fd(), 1));
    const socket_end accepted{complete_one(1).res};
    EXPECT_TRUE(plain::is_close_on_exec(accepted.number()));
}

#if defined(F_GETFD)
TEST_P(accept_test, flags_of_the_new_descriptor_are_those_asked_for) {
    const socket_end first = connect_to(listener_.address);
    const socket_end plain = accept_one(0);
    EXPECT_EQ(0, ::fcntl(plain.number(), F_GETFD));
    const socket_end second = connect_to(listener_.address);
    const socket_end nonblocking = accept_one(socket_flag::nonblock);
    EXPECT_EQ(O_NONBLOCK, ::fcntl(nonblocking.number(), F_GETFL) & O_NONBLOCK);
}
#endif

TEST_P(accept_test, unknown_flags_are_invalid) {
    const socket_end client = connect_to(listener_.address);
    prepare_accept(1, 1U << 30U);
    EXPECT_EQ(-EINVAL, complete_one(1).res);
    sqe& entry = next_sqe();
    prep_accept(entry, listener_.socket.fd(), nullptr, nullptr, 0, 2);
    entry.ioprio = 1U << 15U;
    EXPECT_EQ(-EINVAL, complete_one(2).res);
    expect_connected(accept_one(), client);  // Which has lost nothing.
}

TEST_P(accept_test, names_what_is_wrong_with_the_descriptor) {
    const auto accept_on = [&](const socket_end& listener) {
        sqe entry;
        prep_accept(entry, listener.fd(), nullptr, nullptr, 0, 1);
        return run(entry).res;
    };
    EXPECT_EQ(-EBADF, accept_on(socket_end{}));
    EXPECT_EQ(-ENOTSOCK, accept_on(pipe_pair().ours));
    EXPECT_EQ(-EINVAL, accept_on(connected_pair().ours));
    EXPECT_EQ(-EOPNOTSUPP, accept_on(datagram_pair().ours));
}

TEST_P(accept_test, dont_wait_answers_at_once_or_is_refused) {
    sqe entry;
    prep_accept(entry, listener_.socket.fd(), nullptr, nullptr, 0, 1);
    entry.ioprio = accept_flag::dont_wait;
    const int result = run(entry).res;
    EXPECT_TRUE(result == -EAGAIN || result == -EINVAL) << result;  // Linux 6.10
}

TEST_P(accept_test, every_kind_of_listener_accepts) {
    for (const std::string& address : stream_addresses()) {
        listener_ = listen_on(address);
        prepare_accept(1);
        expect_nothing();
        const socket_end client = connect_to(listener_.address);
        const socket_end accepted{complete_one(1).res};
        EXPECT_LE(0, accepted.number()) << address;
        expect_connected(accepted, client);
    }
}

// Design section 5: 128 pre-posted accepts collapse into one on kqueue.
TEST_P(accept_test, each_of_many_prepared_ahead_takes_one_connection) {
    constexpr std::size_t count = 128;
    for (std::size_t i = 0; i < count; ++i) prepare_accept(i);
    expect_nothing();
    std::vector<socket_end> clients;
    std::vector<socket_end> accepted;
    std::vector<bool> seen(count);
    // Sixteen at a time, which the listener's queue holds.
    for (std::size_t have = 0; have < count && !HasFailure(); have += 16) {
        for (int i = 0; i < 16; ++i) clients.push_back(connect_to(listener_.address));
        for (const cqe& done : complete(16)) {
            ASSERT_LE(0, done.res);
            accepted.emplace_back(done.res);
            EXPECT_FALSE(seen[done.user_data]);
            seen[done.user_data] = true;
        }
    }
    const socket_end one_more = connect_to(listener_.address);
    expect_nothing();
    expect_connected(accept_one(), one_more);
}

TEST_P(accept_test, a_connection_that_was_reset_while_it_waited_fails_no_accept) {
    socket_end broken = connect_to(listener_.address);
    broken.reset();
    const socket_end client = connect_to(listener_.address);
    // Linux hands the dead one out, others pass over it.
    socket_end accepted = accept_one();
    if (!(address_of_peer(accepted) == address_of(client))) accepted = accept_one();
    expect_connected(accepted, client);
}

// Design section 5: EMFILE on accept spins.
#if defined(RLIMIT_NOFILE)
TEST_P(accept_test, want_of_descriptors_is_one_error_and_keeps_the_connection) {
    const socket_end client = connect_to(listener_.address);
    {
        const no_more_descriptors want;
        prepare_accept(1);
        EXPECT_EQ(-EMFILE, complete_one(1).res);
        expect_nothing();
    }
    expect_connected(accept_one(), client);
}
#endif

#if defined(RLIMIT_NOFILE)
TEST_P(accept_test, want_of_descriptors_ends_a_multishot_once) {
    prep_accept_multishot(next_sqe(), listener_.socket.fd(), socket_flag::cloexec, 1);
    ASSERT_EQ(1, ring_.submit());
    const socket_end first = connect_to(listener_.address);
    const cqe before = complete_one(1);
    const socket_end accepted{before.res};
    ASSERT_LE(0, before.res);
    ASSERT_TRUE(before.more());
    const socket_end second = connect_to(listener_.address);
    {
        const no_more_descriptors want;
        // Where the limit is looked at when the accept is prepared, it applies to the next one.
        const cqe done = complete_one(1);
        if (done.res >= 0) {
            expect_connected(socket_end{done.res}, second);
            return;
        }
        EXPECT_EQ(-EMFILE, done.res);
        EXPECT_FALSE(done.more());
        expect_nothing();
    }
    expect_connected(accept_one(), second);
}
#endif

TEST_P(accept_test, shutting_the_listener_down_ends_it) {
    if (is_winsock()) return;  // D27
    prepare_accept(1);
    expect_nothing();
    ASSERT_EQ(0, ring_.shutdown_now(listener_.socket.fd(), shutdown_how::both));
    EXPECT_EQ(-EINVAL, complete_one(1).res);
}

TEST_P(accept_test, a_cancelled_one_takes_no_connection) {
    prepare_accept(1);
    expect_nothing();
    prep_cancel(next_sqe(), /*target=*/1, 0, /*user_data=*/2);
    const std::vector<cqe> all = complete(2);
    EXPECT_EQ(-ECANCELED, with_user_data(all, 1).res);
    EXPECT_EQ(0, with_user_data(all, 2).res);
    const socket_end client = connect_to(listener_.address);
    expect_nothing();
    expect_connected(accept_one(), client);
}

}  // namespace
}  // namespace ioring::conformance
