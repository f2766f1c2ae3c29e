// SPDX-License-Identifier: MIT
// socket_test.cpp - what kqueue says of sockets: ends of streams, resets, connects, closes.
#include "kqueue_test_support.hpp"

namespace ioring::kqueue_test {
namespace {

class socket_test : public kqueue_test {
protected:
    connection pair_ = connected();
};

TEST_F(socket_test, an_end_of_stream_is_eof_with_the_bytes_that_are_left) {
    apply({change_of(pair_.ours, EVFILT_READ, EV_ADD | EV_CLEAR)});
    send_text(pair_.theirs, "abc");
    EXPECT_EQ(0, next_one().flags & EV_EOF);
    pair_.theirs.close();
    const struct kevent event = next_one();
    EXPECT_NE(0, event.flags & EV_EOF);
    EXPECT_EQ(3, event.data);
    std::array<char, 8> bytes{};
    EXPECT_EQ(3, ::recv(pair_.ours.get(), bytes.data(), bytes.size(), 0));
    EXPECT_EQ(0, ::recv(pair_.ours.get(), bytes.data(), bytes.size(), 0));
}

TEST_F(socket_test, an_end_of_stream_is_none_of_writing) {
    fill(pair_.ours);
    apply({change_of(pair_.ours, EVFILT_WRITE, EV_ADD | EV_ONESHOT)});
    ASSERT_EQ(0, ::shutdown(pair_.theirs.get(), SHUT_WR));
    EXPECT_TRUE(silent());
}

TEST_F(socket_test, a_reset_is_eof_of_both) {
    fill(pair_.ours);
    apply({change_of(pair_.ours, EVFILT_READ, EV_ADD | EV_ONESHOT),
           change_of(pair_.ours, EVFILT_WRITE, EV_ADD | EV_ONESHOT)});
    EXPECT_EQ(0U, ready());
    reset(pair_.theirs);
    std::size_t told = 0;
    while (told < 2) {
        for (const struct kevent& each : next()) EXPECT_NE(0, each.flags & EV_EOF) << each.filter;
        ASSERT_FALSE(events_.empty());
        told += events_.size();
    }
    char byte = 0;
    EXPECT_EQ(-1, ::recv(pair_.ours.get(), &byte, 1, 0));
    EXPECT_EQ(ECONNRESET, errno);
}

TEST_F(socket_test, a_reset_of_a_silent_connection_is_eof) {
    sockaddr_in address{};
    const descriptor_owner listener = listening(address);
    for (const int filter : {EVFILT_READ, EVFILT_WRITE}) {
        descriptor_owner client = tcp_socket();
        ASSERT_EQ(0, connect_to(client.get(), address));
        const descriptor_owner accepted{::accept(listener.get(), nullptr, nullptr)};
        make_nonblocking(accepted.get());
        if (filter == EVFILT_WRITE) fill(accepted);
        apply({change_of(accepted, filter, EV_ADD | EV_ONESHOT)});
        EXPECT_EQ(0U, ready());
        reset(client);
        EXPECT_NE(0, next_one().flags & EV_EOF) << filter;
    }
}

TEST_F(socket_test, our_own_shutdown_is_eof) {
    apply({change_of(pair_.ours, EVFILT_READ, EV_ADD | EV_ONESHOT)});
    ASSERT_EQ(0, ::shutdown(pair_.ours.get(), SHUT_RD));
    EXPECT_NE(0, next_one().flags & EV_EOF);
    ASSERT_EQ(0, ::shutdown(pair_.ours.get(), SHUT_WR));
    apply({change_of(pair_.ours, EVFILT_WRITE, EV_ADD | EV_ONESHOT)});
    EXPECT_NE(0, next_one().flags & EV_EOF);
}

TEST_F(socket_test, a_full_socket_is_writable_once_the_peer_has_read) {
    fill(pair_.ours);
    apply({change_of(pair_.ours, EVFILT_WRITE, EV_ADD | EV_ONESHOT)});
    EXPECT_EQ(0U, ready());
    make_nonblocking(pair_.theirs.get());
    std::vector<char> bytes(1 << 20);
    while (::recv(pair_.theirs.get(), bytes.data(), bytes.size(), 0) > 0 || ready() == 0) {
    }
    EXPECT_EQ(1U, events_.size());
}

TEST_F(socket_test, a_listener_is_readable_when_there_is_a_connection) {
    sockaddr_in address{};
    const descriptor_owner listener = listening(address);
    apply({change_of(listener, EVFILT_READ, EV_ADD)});
    EXPECT_EQ(0U, ready());
    const descriptor_owner client = tcp_socket();
    ASSERT_EQ(0, connect_to(client.get(), address));
    const struct kevent event = next_one();
    EXPECT_EQ(1, event.data);
    EXPECT_EQ(0, event.flags & EV_EOF);
}

TEST_F(socket_test, a_connect_that_succeeds_is_writable) {
    sockaddr_in address{};
    const descriptor_owner listener = listening(address);
    const descriptor_owner client = tcp_socket();
    make_nonblocking(client.get());
    ASSERT_EQ(-1, connect_to(client.get(), address));
    ASSERT_EQ(EINPROGRESS, errno);
    apply({change_of(client, EVFILT_WRITE, EV_ADD | EV_ONESHOT)});
    EXPECT_EQ(0, next_one().flags & EV_EOF);
}

TEST_F(socket_test, a_connect_that_is_refused_is_eof_of_writing) {
    sockaddr_in address{};
    listening(address).close();
    const descriptor_owner client = tcp_socket();
    make_nonblocking(client.get());
    ASSERT_EQ(-1, connect_to(client.get(), address));
    ASSERT_EQ(EINPROGRESS, errno);
    apply({change_of(client, EVFILT_WRITE, EV_ADD | EV_ONESHOT)});
    EXPECT_NE(0, next_one().flags & EV_EOF);
    int error = 0;
    socklen_t length = sizeof(error);
    ASSERT_EQ(0, ::getsockopt(client.get(), SOL_SOCKET, SO_ERROR, &error, &length));
    EXPECT_EQ(ECONNREFUSED, error);
}

TEST_F(socket_test, a_socket_that_nobody_connected_is_silent) {
    for (const int family : {AF_INET, AF_UNIX}) {
        const descriptor_owner fresh{::socket(family, SOCK_STREAM, 0)};
        apply({change_of(fresh, EVFILT_READ, EV_ADD), change_of(fresh, EVFILT_WRITE, EV_ADD)});
        EXPECT_TRUE(silent()) << family;
    }
}

TEST_F(socket_test, closing_a_descriptor_drops_its_knotes) {
    apply({change_of(pair_.ours, EVFILT_READ, EV_ADD)});
    const descriptor_owner kept{::dup(pair_.ours.get())};
    send_text(pair_.theirs, "x");
    EXPECT_EQ(1U, ready());
    const auto number = static_cast<std::uintptr_t>(pair_.ours.get());
    pair_.ours.close();
    EXPECT_TRUE(silent());
    EXPECT_EQ(EBADF, error_of(change_of(number, EVFILT_READ, EV_DELETE)));
}

TEST_F(socket_test, a_number_that_is_in_use_again_has_no_knotes) {
    apply({change_of(pair_.ours, EVFILT_READ, EV_ADD | EV_ONESHOT, 1)});
    const int number = pair_.ours.get();
    connection other = connected();
    pair_.ours.close();
    ASSERT_EQ(number, ::dup2(other.ours.get(), number));
    const descriptor_owner again{number};
    EXPECT_EQ(ENOENT, error_of(change_of(again, EVFILT_READ, EV_DELETE)));
    send_text(other.theirs, "x");
    EXPECT_EQ(0U, ready());
    apply({change_of(again, EVFILT_READ, EV_ADD | EV_CLEAR, 2)});
    EXPECT_EQ(2U, udata_of(next_one()));
    send_text(other.theirs, "y");
    EXPECT_EQ(2U, udata_of(next_one()));  // Not one-shot, as the one before was.
}

#ifdef EVFILT_EXCEPT
TEST_F(socket_test, out_of_band_data_is_an_exception) {
    apply({change_of(static_cast<std::uintptr_t>(pair_.ours.get()), EVFILT_EXCEPT,
                     EV_ADD | EV_ONESHOT, NOTE_OOB)});
    send_text(pair_.theirs, "x");
    EXPECT_TRUE(silent());
    send_urgent(pair_.theirs);
    const struct kevent event = next_one();
    EXPECT_EQ(EVFILT_EXCEPT, event.filter);
    EXPECT_NE(0U, event.fflags & NOTE_OOB);
}
#endif

TEST_F(socket_test, the_end_of_a_pipe_is_eof) {
    std::array<int, 2> ends{};
    ASSERT_EQ(0, ::pipe(ends.data()));
    const descriptor_owner reader{ends[0]};
    descriptor_owner writer{ends[1]};
    apply({change_of(reader, EVFILT_READ, EV_ADD | EV_CLEAR)});
    ASSERT_EQ(2, ::write(writer.get(), "ab", 2));
    EXPECT_EQ(2, next_one().data);
    writer.close();
    const struct kevent event = next_one();
    EXPECT_NE(0, event.flags & EV_EOF);
    EXPECT_EQ(2, event.data);
}

}  // namespace
}  // namespace ioring::kqueue_test
