// SPDX-License-Identifier: MIT
// message_test.cpp - sendmsg and recvmsg: pieces and addresses.
#include <cstring>

#include "messages.hpp"

namespace ioring::conformance {
namespace {

class message_test : public message_suite {};
INSTANTIATE_TEST_SUITE_P(backend, message_test, every_backend(), backend_name);

TEST_P(message_test, pieces_are_gathered_in_order) {
    const auto [ours, theirs] = connected_pair();
    EXPECT_EQ(9, send_message(ours, message{{"one", "", "two", "3rd"}}));
    EXPECT_EQ("onetwo3rd", receive(theirs, 9));
}

TEST_P(message_test, bytes_are_scattered_over_the_pieces) {
    const auto [ours, theirs] = connected_pair();
    ASSERT_TRUE(send_all(theirs, "abcdef"));
    message into{{"??", "", "???", "???"}};
    EXPECT_EQ(6, recv_message(ours, into));
    EXPECT_EQ("ab", into.texts[0]);
    EXPECT_EQ("cde", into.texts[2]);
    EXPECT_EQ("f??", into.texts[3]);
}

TEST_P(message_test, a_recv_waits_for_bytes_that_come_later) {
    const auto [ours, theirs] = connected_pair();
    message into{{"????"}};
    prep_recvmsg(next_sqe(), ours.fd(), &into.header, 0, 1);
    expect_nothing();
    ASSERT_TRUE(send_all(theirs, "late"));
    EXPECT_EQ(4, complete_one(1).res);
    EXPECT_EQ("late", into.texts[0]);
}

TEST_P(message_test, a_recv_of_wait_all_fills_every_piece) {
    const auto [ours, theirs] = connected_pair();
    message into{{"???", "?????"}};
    prep_recvmsg(next_sqe(), ours.fd(), &into.header, msg_flag::wait_all, 1);
    for (const char* const part : {"a", "bcd", "ef"}) {
        ASSERT_TRUE(send_all(theirs, part));
        expect_nothing();
    }
    ASSERT_TRUE(send_all(theirs, "gh"));
    EXPECT_EQ(8, complete_one(1).res);
    EXPECT_EQ("abcdefgh", into.joined());
}

TEST_P(message_test, a_recv_of_wait_all_with_room_for_control_data_ends_with_what_there_is) {
    const auto [ours, theirs] = connected_pair();
    message into{{"???", "?????"}};
    alignas(16) std::array<std::byte, 64> room{};
    into.header.msg_control = room.data();
    into.header.msg_controllen = static_cast<decltype(into.header.msg_controllen)>(room.size());
    prep_recvmsg(next_sqe(), ours.fd(), &into.header, msg_flag::wait_all, 1);
    expect_nothing();
    ASSERT_TRUE(send_all(theirs, "abcd"));
    EXPECT_EQ(4, complete_one(1).res);
    EXPECT_EQ("abcd????", into.joined());
}

TEST_P(message_test, a_send_of_wait_all_moves_every_piece_and_leaves_the_iovecs_alone) {
    const auto [ours, theirs] = narrow_pair();
    const message big{{pattern(300'000, 1), pattern(7, 2), pattern(400'000, 3)}};
    const std::vector<::iovec> before = big.pieces;
    prep_sendmsg(next_sqe(), ours.fd(), &big.header, whole, 1);
    expect_nothing();
    std::string into(700'007, '\0');
    prep_recv(next_sqe(), theirs.fd(), bytes_of(into), msg_flag::wait_all, 2);
    for (const cqe& done : complete(2)) EXPECT_EQ(700'007, done.res);
    EXPECT_TRUE(big.joined() == into);
    EXPECT_EQ(0, std::memcmp(before.data(), big.pieces.data(), before.size() * sizeof(::iovec)));
}

TEST_P(message_test, the_end_of_the_stream_is_zero_bytes) {
    auto [ours, theirs] = connected_pair();
    theirs.close();
    message into{{"????"}};
    EXPECT_EQ(0, recv_message(ours, into));
}

TEST_P(message_test, a_send_to_a_closed_stream_is_an_error_and_no_signal) {
    const auto [ours, theirs] = connected_pair();
    shut_down(ours, shutdown_how::write);
    EXPECT_EQ(-EPIPE, send_message(ours, message{{"x"}}, /*flags=*/0));
}

TEST_P(message_test, bad_headers_are_errors_and_cost_no_bytes) {
    const auto [ours, theirs] = connected_pair();
    ASSERT_TRUE(send_all(theirs, "abc"));
    sqe entry;
    prep_sendmsg(entry, ours.fd(), nullptr, whole, 1);
    EXPECT_EQ(-EFAULT, run(entry).res);
    prep_recvmsg(entry, ours.fd(), nullptr, 0, 1);
    EXPECT_EQ(-EFAULT, run(entry).res);
    message too_many{{"???"}};
    too_many.header.msg_iovlen = 2000;
    const auto refused = [this](int error) {
        return error == -EMSGSIZE || (is_older_uring() && error == -EINVAL);  // D24
    };
    EXPECT_PRED1(refused, recv_message(ours, too_many));
    EXPECT_PRED1(refused, send_message(ours, too_many));
    message into{{"???"}};
    EXPECT_EQ(3, recv_message(ours, into));
}

TEST_P(message_test, names_what_is_wrong_with_the_descriptor) {
    message some{{"x"}};
    EXPECT_EQ(-EBADF, send_message(socket_end{}, some));
    EXPECT_EQ(-EBADF, recv_message(socket_end{}, some));
    const socket_pair ends = pipe_pair();
    EXPECT_EQ(-ENOTSOCK, send_message(ends.theirs, some));
    EXPECT_EQ(-ENOTSOCK, recv_message(ends.ours, some));
}

TEST_P(message_test, a_datagram_tells_who_sent_it) {
    const auto [ours, theirs] = datagram_pair();
    message into{{"????????"}};
    endpoint sender;
    into.header.msg_name = sender.data();
    into.header.msg_namelen = endpoint::capacity;
    prep_recvmsg(next_sqe(), ours.fd(), &into.header, 0, 1);
    expect_nothing();
    ASSERT_TRUE(send_all(theirs, "dgram"));
    EXPECT_EQ(5, complete_one(1).res);
    sender.resize(into.header.msg_namelen);
    EXPECT_EQ(address_of(theirs), sender);
    EXPECT_EQ(0, into.header.msg_flags & message_cut);
}

TEST_P(message_test, a_datagram_goes_where_its_message_says) {
    const auto [ours, theirs] = datagram_pair();
    const socket_end elsewhere = open_datagram();
    endpoint to = address_of(elsewhere);
    message some{{"hither"}};
    some.header.msg_name = to.data();
    some.header.msg_namelen = static_cast<decltype(some.header.msg_namelen)>(to.size());
    EXPECT_EQ(6, send_message(ours, some));
    EXPECT_EQ("hither", receive(elsewhere, 6));
    EXPECT_FALSE(readable(theirs, 0ms));
}

TEST_P(message_test, a_plain_send_goes_where_it_says_and_need_not_wait) {
    const auto [ours, theirs] = datagram_pair();
    const socket_end elsewhere = open_datagram();
    endpoint to = address_of(elsewhere);
    for (const std::uint32_t flags : {0U, msg_flag::dont_wait, msg_flag::wait_all}) {
        sqe entry;
        prep_send(entry, ours.fd(), bytes_of("hither"), flags, 1);
        entry.off = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(to.data()));
        entry.file_index = static_cast<std::int32_t>(to.size());
        EXPECT_EQ(6, run(entry).res) << flags;
        EXPECT_EQ("hither", receive(elsewhere, 6)) << flags;
    }
    EXPECT_FALSE(readable(theirs, 0ms));
}

TEST_P(message_test, a_datagram_is_scattered_over_its_pieces) {
    const auto [ours, theirs] = datagram_pair();
    message into{{"??", "", "????"}};
    for (const std::uint32_t flags : {0U, msg_flag::dont_wait, msg_flag::peek}) {
        ASSERT_TRUE(send_all(theirs, "abcde"));
        ASSERT_TRUE(readable(ours));
        EXPECT_EQ(5, recv_message(ours, into, flags)) << flags;
        EXPECT_EQ("abcde?", into.joined()) << flags;
    }
    EXPECT_EQ(5, recv_message(ours, into)) << "what was only looked at";
    EXPECT_EQ(-EAGAIN, recv_message(ours, into, msg_flag::dont_wait));
}

TEST_P(message_test, what_waits_goes_by_a_cancel_and_costs_no_datagram) {
    const auto [ours, theirs] = datagram_pair();
    message into{{"????"}};
    prep_recvmsg(next_sqe(), ours.fd(), &into.header, 0, 1);
    expect_nothing();
    prep_cancel(next_sqe(), 1, 0, 2);
    const std::vector<cqe> both = complete(2);
    EXPECT_EQ(-ECANCELED, with_user_data(both, 1).res);
    EXPECT_EQ(0, with_user_data(both, 2).res);
    ASSERT_TRUE(send_all(theirs, "next"));
    EXPECT_EQ(4, recv_message(ours, into));
    EXPECT_EQ("next", into.joined());
}

TEST_P(message_test, datagrams_keep_their_bounds_and_an_empty_one_is_no_end) {
    const auto [ours, theirs] = datagram_pair();
    EXPECT_EQ(3, send(ours, "one"));
    EXPECT_EQ(0, send(ours, ""));
    EXPECT_EQ(5, send(ours, "three"));
    std::array<std::byte, 16> buffer{};
    EXPECT_EQ(3, recv(theirs, buffer));
    EXPECT_EQ(0, recv(theirs, buffer));
    EXPECT_EQ(5, recv(theirs, buffer));
    EXPECT_EQ(-EAGAIN, recv(theirs, buffer, msg_flag::dont_wait));
}

TEST_P(message_test, a_datagram_beyond_its_buffer_is_cut_and_says_so) {
    const auto [ours, theirs] = datagram_pair();
    message into{{"????"}};
    ASSERT_TRUE(send_all(theirs, "much too long"));
    EXPECT_EQ(4, recv_message(ours, into));
    EXPECT_EQ("much", into.joined());
    EXPECT_EQ(message_cut, into.header.msg_flags & message_cut);
    // Asked for, the result is how long it was.
    ASSERT_TRUE(send_all(theirs, "much too long"));
    if (is_winsock()) {  // D29
        EXPECT_EQ(-EINVAL, recv_message(ours, into, msg_flag::trunc));
        EXPECT_EQ(4, recv_message(ours, into));
    } else {
        EXPECT_EQ(13, recv_message(ours, into, msg_flag::trunc));
    }
    EXPECT_FALSE(readable(ours, 0ms));  // The rest is gone.
}

TEST_P(message_test, a_cut_datagram_breaks_a_link_only_when_all_bytes_were_asked_for) {
    const auto [ours, theirs] = datagram_pair();
    for (const std::uint32_t flags : {0U, msg_flag::wait_all}) {
        std::array<std::byte, 4> buffer{};
        message into{{"????"}};
        for (const bool by_message : {false, true}) {
            if (is_winsock() && !by_message) continue;  // D29
            sqe& entry = next_sqe();
            if (by_message) {
                prep_recvmsg(entry, ours.fd(), &into.header, flags, 1);
            } else {
                prep_recv(entry, ours.fd(), buffer, flags, 1);
            }
            entry.flags |= sqe_flag::io_link;
            ring_.prepare_nop(2);
            expect_nothing();
            ASSERT_TRUE(send_all(theirs, "much too long"));
            const auto all = complete(2);
            EXPECT_EQ(4, with_user_data(all, 1).res);
            EXPECT_EQ(flags == 0 ? 0 : -ECANCELED, with_user_data(all, 2).res) << by_message;
        }
    }
}

TEST_P(message_test, wait_all_does_not_wait_for_a_second_datagram) {
    const auto [ours, theirs] = datagram_pair();
    std::array<std::byte, 16> buffer{};
    prep_recv(next_sqe(), ours.fd(), buffer, msg_flag::wait_all, 1);
    expect_nothing();
    ASSERT_TRUE(send_all(theirs, "one"));
    EXPECT_EQ(3, complete_one(1).res);
}

TEST_P(message_test, a_datagram_that_nobody_took_is_an_error_of_the_next_recv) {
    auto [ours, theirs] = datagram_pair();
    theirs.close();
    std::array<std::byte, 16> buffer{};
    prep_recv(next_sqe(), ours.fd(), buffer, 0, 1);
    expect_nothing();
    ASSERT_TRUE(send_all(ours, "x"));  // By a plain call: the answer is for the parked recv.
    EXPECT_EQ(-ECONNREFUSED, complete_one(1).res);
}

}  // namespace
}  // namespace ioring::conformance
