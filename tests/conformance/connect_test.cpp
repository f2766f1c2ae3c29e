// SPDX-License-Identifier: MIT
// connect_test.cpp - what connect promises, and what it holds back meanwhile.
#include <string>
#include <string_view>

#include "conformance.hpp"

namespace ioring::conformance {
namespace {

class connect_test : public backend_test {
protected:
    void prepare_connect(const socket_end& from, const endpoint& to, std::uint64_t user_data) {
        prep_connect(next_sqe(), from.fd(), static_cast<const ::sockaddr*>(to.data()),
                     static_cast<std::uint32_t>(to.size()), user_data);
    }
    int connect(const socket_end& from, const endpoint& to) {
        prepare_connect(from, to, 1);
        return complete_one(1).res;
    }
    // An address where nobody listens, although its port is taken.
    static plain_listener nobody() {
        plain_listener made;
        made.socket = open_stream(address_family::ipv4);
        endpoint any;
        EXPECT_FALSE(endpoint::parse("127.0.0.1:0", any));
        EXPECT_EQ(0, plain::bind(made.socket.number(), any));
        made.address = address_of(made.socket);
        return made;
    }

    std::array<std::byte, 16> buffer_{};
};
INSTANTIATE_TEST_SUITE_P(backend, connect_test, every_backend(), backend_name);

TEST_P(connect_test, reaches_every_kind_of_listener) {
    for (const std::string& address : stream_addresses()) {
        const plain_listener listener = listen_on(address);
        const socket_end client = open_stream(listener.address.family());
        EXPECT_EQ(0, connect(client, listener.address)) << address;
        const socket_end server = accept_from(listener.socket);
        EXPECT_EQ(2, send(client, "hi"));
        EXPECT_EQ("hi", receive(server, 2));
    }
}

TEST_P(connect_test, works_on_a_nonblocking_descriptor_too) {
    const plain_listener listener = listen_on("127.0.0.1:0");
    const socket_end client = open_stream(address_family::ipv4);
    set_nonblocking(client);
    EXPECT_EQ(0, connect(client, listener.address));
}

TEST_P(connect_test, a_refusal_is_an_error) {
    const plain_listener refusing = nobody();
    const socket_end client = open_stream(address_family::ipv4);
    EXPECT_EQ(-ECONNREFUSED, connect(client, refusing.address));
}

TEST_P(connect_test, after_a_refusal_the_socket_can_connect_elsewhere) {
    const plain_listener refusing = nobody();
    const plain_listener listener = listen_on("127.0.0.1:0");
    const socket_end client = open_stream(address_family::ipv4);
    ASSERT_EQ(-ECONNREFUSED, connect(client, refusing.address));
    EXPECT_EQ(0, connect(client, listener.address));
}

TEST_P(connect_test, a_local_path_without_listener_is_an_error) {
    if (!has_local_sockets()) return;
    const plain_listener listener = listen_on(local_name("nobody"));
    const endpoint gone = listener.address;
    const socket_end client = open_stream(address_family::local);
    shut_down(listener.socket, shutdown_how::both);
    EXPECT_EQ(-ECONNREFUSED, connect(client, gone));
    endpoint nowhere;
    ASSERT_FALSE(endpoint::parse("unix:/nonexistent/socket", nowhere));
    EXPECT_EQ(-ENOENT, connect(client, nowhere));
}

TEST_P(connect_test, a_connected_socket_cannot_connect_again) {
    const plain_listener listener = listen_on("127.0.0.1:0");
    const socket_end client = open_stream(address_family::ipv4);
    ASSERT_EQ(0, connect(client, listener.address));
    EXPECT_EQ(-EISCONN, connect(client, listener.address));
}

TEST_P(connect_test, names_what_is_wrong_with_the_descriptor) {
    const plain_listener listener = listen_on("127.0.0.1:0");
    EXPECT_EQ(-EBADF, connect(socket_end{}, listener.address));
    EXPECT_EQ(-ENOTSOCK, connect(pipe_pair().ours, listener.address));
}

TEST_P(connect_test, names_what_is_wrong_with_the_address) {
    const plain_listener listener = listen_on("127.0.0.1:0");
    const socket_end client = open_stream(address_family::ipv4);
    sqe entry;
    prep_connect(entry, client.fd(), nullptr, 16, 1);
    EXPECT_EQ(-EFAULT, run(entry).res);
    const auto* const address = static_cast<const ::sockaddr*>(listener.address.data());
    prep_connect(entry, client.fd(), address, 1, 1);
    EXPECT_EQ(-EINVAL, run(entry).res);
    prep_connect(entry, client.fd(), address, 10'000, 1);
    EXPECT_EQ(-EINVAL, run(entry).res);
    if (!has_local_sockets()) return;
    endpoint local;
    ASSERT_FALSE(endpoint::parse("unix:@of-another-family", local));
    EXPECT_EQ(-EAFNOSUPPORT, connect(client, local));
}

TEST_P(connect_test, a_datagram_socket_gets_its_peer_at_once) {
    const socket_pair both = datagram_pair();
    const socket_pair others = datagram_pair();
    EXPECT_EQ(0, connect(both.ours, address_of(both.theirs)));
    EXPECT_EQ(1, send(both.ours, "x"));
    EXPECT_EQ("x", receive(both.theirs, 1));
}

// The next two happen while the connection is being made: its listener's queue is full, so that the
// system answers no sooner than at the second try, a second later.
class busy_listener {
public:
    busy_listener() {
        for (int i = 0; i < 2; ++i) waiting_.push_back(connect_to(listener_.address));
    }
    [[nodiscard]] const endpoint& address() const { return listener_.address; }
    // Makes room for one more.
    [[nodiscard]] socket_end accept() const { return accept_from(listener_.socket); }

private:
    plain_listener listener_ = listen_on("127.0.0.1:0", /*backlog=*/1);
    std::vector<socket_end> waiting_;
};

TEST_P(connect_test, transfers_wait_for_a_connection_that_is_being_made) {
    const busy_listener busy;
    const socket_end client = open_stream(address_family::ipv4);
    prepare_connect(client, busy.address(), 1);
    prep_recv(next_sqe(), client.fd(), buffer_, 0, 2);
    prep_send(next_sqe(), client.fd(), bytes_of("early"), msg_flag::no_signal, 3);
    expect_nothing();
    const std::array others{busy.accept(), busy.accept()};
    const std::vector<cqe> all = complete(2);
    EXPECT_EQ(0, with_user_data(all, 1).res);
    EXPECT_EQ(5, with_user_data(all, 3).res);
    const socket_end server = busy.accept();
    EXPECT_EQ("early", receive(server, 5));
    ASSERT_TRUE(send_all(server, "late"));
    EXPECT_EQ(4, complete_one(2).res);
}

TEST_P(connect_test, one_that_is_being_made_can_be_cancelled) {
    const busy_listener busy;
    const socket_end client = open_stream(address_family::ipv4);
    prepare_connect(client, busy.address(), 1);
    expect_nothing();
    prep_cancel(next_sqe(), /*target=*/1, 0, /*user_data=*/2);
    const std::vector<cqe> all = complete(2);
    EXPECT_EQ(-ECANCELED, with_user_data(all, 1).res);
    EXPECT_EQ(0, with_user_data(all, 2).res);
}

TEST_P(connect_test, two_at_once_on_one_socket_complete_once_each) {
    const busy_listener busy;
    const socket_end client = open_stream(address_family::ipv4);
    prepare_connect(client, busy.address(), 1);
    prepare_connect(client, busy.address(), 2);
    (void)ring_.submit();
    prep_cancel_fd(next_sqe(), client.fd(), cancel_flag::all, 3);
    const std::vector<cqe> all = complete(3);
    EXPECT_GT(0, with_user_data(all, 1).res);
    EXPECT_GT(0, with_user_data(all, 2).res);
    EXPECT_LE(1, with_user_data(all, 3).res);
    expect_nothing();
}

TEST_P(connect_test, a_recv_prepared_with_it_does_not_take_its_refusal_away) {
    const plain_listener refusing = nobody();
    const socket_end client = open_stream(address_family::ipv4);
    prepare_connect(client, refusing.address, 1);
    prep_recv(next_sqe(), client.fd(), buffer_, 0, 2);
    const std::vector<cqe> all = complete(2);
    EXPECT_EQ(-ECONNREFUSED, with_user_data(all, 1).res);
    EXPECT_GT(0, with_user_data(all, 2).res);
}

TEST_P(connect_test, a_send_prepared_with_it_does_not_take_its_refusal_away) {
    const plain_listener refusing = nobody();
    const socket_end client = open_stream(address_family::ipv4);
    prepare_connect(client, refusing.address, 1);
    prep_send(next_sqe(), client.fd(), bytes_of("x"), 0, 2);
    const std::vector<cqe> all = complete(2);
    EXPECT_EQ(-ECONNREFUSED, with_user_data(all, 1).res);
    EXPECT_GT(0, with_user_data(all, 2).res);
}

TEST_P(connect_test, a_refusal_whose_reason_somebody_has_read_is_no_success) {
    const plain_listener refusing = nobody();
    const socket_end client = open_stream(address_family::ipv4);
    prepare_connect(client, refusing.address, 1);
    ASSERT_EQ(1, ring_.submit());
    (void)plain::pending_error(client.number());
    EXPECT_GT(0, complete_one(1).res);
    expect_nothing();
}

// Allowed difference D14: io_uring waits, others cannot.
TEST_P(connect_test, a_full_queue_of_a_local_listener_is_waited_out_or_told) {
    if (!has_local_sockets()) return;
    const plain_listener listener = listen_on(local_name("full"), /*backlog=*/0);
    const socket_end first = connect_to(listener.address);
    const socket_end second = open_stream(address_family::local);
    prepare_connect(second, listener.address, 1);
    if (is_uring()) {
        expect_nothing();
        const socket_end accepted = accept_from(listener.socket);
        EXPECT_EQ(0, complete_one(1).res);
    } else {
        EXPECT_EQ(-EAGAIN, complete_one(1).res);
        const socket_end accepted = accept_from(listener.socket);
        EXPECT_EQ(0, connect(second, listener.address));
    }
}

}  // namespace
}  // namespace ioring::conformance
