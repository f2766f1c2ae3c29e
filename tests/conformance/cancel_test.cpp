// SPDX-License-Identifier: MIT
// cancel_test.cpp - what a cancel finds, what it answers, and how what it found ends.
#include <algorithm>

#include "entries.hpp"

namespace ioring::conformance {
namespace {

class cancel_test : public backend_test {
protected:
    void park_recv(const socket_end& at, std::uint64_t user_data) {
        ring_.prepare_recv(at.fd(), buffer_, user_data);
        expect_nothing();
    }
    // A cancel by hand, for fields that no prepare_* writes.
    sqe& cancel_entry(std::uint64_t target, std::uint32_t flags, std::uint64_t user_data) {
        sqe& entry = next_sqe();
        prep_cancel(entry, target, flags, user_data);
        return entry;
    }

    std::array<std::byte, 64> buffer_{};
};
INSTANTIATE_TEST_SUITE_P(backend, cancel_test, every_backend(), backend_name);

TEST_P(cancel_test, of_a_parked_recv_completes_both) {
    const auto [ours, theirs] = connected_pair();
    park_recv(ours, 1);
    ring_.prepare_cancel(1, 2);
    const auto all = complete(2);
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_EQ(0, result_of(all, 2));
    expect_nothing();
}

TEST_P(cancel_test, of_nothing_is_enoent) {
    ring_.prepare_cancel(/*target=*/1, /*user_data=*/2);
    EXPECT_EQ(-ENOENT, complete_one(2).res);
}

TEST_P(cancel_test, does_not_find_itself) {
    ring_.prepare_cancel(/*target=*/2, /*user_data=*/2);
    EXPECT_EQ(-ENOENT, complete_one(2).res);
}

TEST_P(cancel_test, the_second_time_finds_nothing) {
    const auto [ours, theirs] = connected_pair();
    park_recv(ours, 1);
    ring_.prepare_cancel(1, 2);
    EXPECT_EQ(0, result_of(complete(2), 2));
    ring_.prepare_cancel(1, 3);
    EXPECT_EQ(-ENOENT, complete_one(3).res);
}

TEST_P(cancel_test, of_what_has_completed_changes_nothing) {
    const auto [ours, theirs] = connected_pair();
    park_recv(ours, 1);
    ASSERT_TRUE(send_all(theirs, "done"));
    EXPECT_EQ(0, wait_through(ring_, 1, patience));
    ring_.prepare_cancel(1, 2);
    const auto all = complete(2);
    EXPECT_EQ(4, result_of(all, 1));
    EXPECT_EQ(-ENOENT, result_of(all, 2));
}

TEST_P(cancel_test, in_the_same_batch_finds_what_is_before_it_only) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_recv(ours.fd(), buffer_, 1);
    ring_.prepare_cancel(1, 2);
    ring_.prepare_cancel(3, 4);
    ring_.prepare_recv(ours.fd(), buffer_, 3);
    const auto all = complete(3);
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_EQ(0, result_of(all, 2));
    EXPECT_EQ(-ENOENT, result_of(all, 4));
    ASSERT_TRUE(send_all(theirs, "x"));
    EXPECT_EQ(1, complete_one(3).res);
}

TEST_P(cancel_test, takes_one_of_several_with_the_same_user_data) {
    const auto [one, one_peer] = connected_pair();
    const auto [two, two_peer] = connected_pair();
    ring_.prepare_recv(one.fd(), buffer_, 1);
    ring_.prepare_recv(two.fd(), buffer_, 1);
    expect_nothing();
    ring_.prepare_cancel(1, 2);
    const auto all = complete(2);
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_EQ(0, result_of(all, 2));
    ASSERT_TRUE(send_all(one_peer, "x"));
    ASSERT_TRUE(send_all(two_peer, "x"));
    EXPECT_EQ(1, complete_one(1).res);  // Whichever is left.
}

TEST_P(cancel_test, of_all_counts_every_match) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_recv(ours.fd(), buffer_, 1);
    ring_.prepare_poll_add(ours.fd(), poll_event::in, 1);
    ring_.prepare_timeout(&an_hour, 1);
    expect_nothing();
    ring_.prepare_cancel(1, 2, cancel_flag::all);
    const auto all = complete(4);
    EXPECT_EQ(3, result_of(all, 2));
    EXPECT_EQ(3, std::count_if(all.begin(), all.end(), [](const cqe& each) {
                  return each.user_data == 1 && each.res == -ECANCELED;
              }));
}

TEST_P(cancel_test, of_all_of_nothing_is_zero) {
    ring_.prepare_cancel(1, 2, cancel_flag::all);
    EXPECT_EQ(0, complete_one(2).res);
}

TEST_P(cancel_test, by_descriptor_takes_the_operations_of_that_descriptor) {
    const auto [ours, theirs] = connected_pair();
    const auto [other, other_peer] = connected_pair();
    ring_.prepare_recv(ours.fd(), buffer_, 1);
    ring_.prepare_poll_add(ours.fd(), poll_event::in, 2);
    ring_.prepare_recv(other.fd(), buffer_, 3);
    expect_nothing();
    ring_.prepare_cancel_fd(ours.fd(), 4);
    const auto all = complete(3);
    EXPECT_EQ(2, result_of(all, 4));
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_EQ(-ECANCELED, result_of(all, 2));
    ASSERT_TRUE(send_all(other_peer, "x"));
    EXPECT_EQ(1, complete_one(3).res);
}

TEST_P(cancel_test, by_descriptor_without_all_takes_one) {
    const auto [ours, theirs] = connected_pair();
    park_recv(ours, 1);
    park_recv(ours, 1);
    ring_.prepare_cancel_fd(ours.fd(), 2, /*cancel_flags=*/0);
    const auto all = complete(2);
    EXPECT_EQ(0, result_of(all, 2));
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    ASSERT_TRUE(send_all(theirs, "x"));
    EXPECT_EQ(1, complete_one(1).res);
}

TEST_P(cancel_test, by_descriptor_without_all_passes_over_older_ones_of_others) {
    const auto [other, other_peer] = connected_pair();
    const auto [ours, theirs] = connected_pair();
    park_recv(other, 1);
    park_recv(ours, 2);
    ring_.prepare_cancel_fd(ours.fd(), 3, /*cancel_flags=*/0);
    const auto all = complete(2);
    EXPECT_EQ(0, result_of(all, 3));
    EXPECT_EQ(-ECANCELED, result_of(all, 2));
    ASSERT_TRUE(send_all(other_peer, "x"));
    EXPECT_EQ(1, complete_one(1).res);
}

TEST_P(cancel_test, by_descriptor_of_an_idle_one_is_enoent_and_with_all_zero) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_cancel_fd(ours.fd(), 1, /*cancel_flags=*/0);
    ring_.prepare_cancel_fd(ours.fd(), 2, cancel_flag::all);
    const auto all = complete(2);
    EXPECT_EQ(-ENOENT, result_of(all, 1));
    EXPECT_EQ(0, result_of(all, 2));
}

TEST_P(cancel_test, by_a_descriptor_that_is_not_open_is_ebadf) {
    socket_pair both = connected_pair();
    const fd closed = both.ours.fd();
    both.ours.close();
    ring_.prepare_cancel_fd(closed, 1);
    ring_.prepare_cancel_fd(fd{-1}, 2, /*cancel_flags=*/0);
    const auto all = complete(2);
    EXPECT_EQ(-EBADF, result_of(all, 1));
    EXPECT_EQ(-EBADF, result_of(all, 2));
}

TEST_P(cancel_test, by_a_slot_of_no_table_is_ebadf) {
    cancel_entry(0, cancel_flag::by_fd | cancel_flag::fixed_fd, 1).fd = 0;
    EXPECT_EQ(-EBADF, complete_one(1).res);
}

TEST_P(cancel_test, by_descriptor_and_user_data_wants_both) {
    if (is_older_uring()) return;  // D23
    const auto [ours, theirs] = connected_pair();
    park_recv(ours, 1);
    sqe& wrong = cancel_entry(7, cancel_flag::by_fd | cancel_flag::by_user_data, 2);
    wrong.fd = ours.number();
    EXPECT_EQ(-ENOENT, complete_one(2).res);
    sqe& right = cancel_entry(1, cancel_flag::by_fd | cancel_flag::by_user_data, 3);
    right.fd = ours.number();
    EXPECT_EQ(0, result_of(complete(2), 3));
}

TEST_P(cancel_test, by_opcode_takes_that_operation_only) {
    if (is_older_uring()) return;  // D23
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_timeout(&an_hour, 1);
    ring_.prepare_poll_add(ours.fd(), poll_event::in, 1);
    park_recv(ours, 2);
    sqe& entry = cancel_entry(/*target=*/0, cancel_flag::by_opcode | cancel_flag::all, 3);
    entry.len = static_cast<std::uint32_t>(opcode::recv);
    auto all = complete(2);
    EXPECT_EQ(1, result_of(all, 3));
    EXPECT_EQ(-ECANCELED, result_of(all, 2));
    sqe& wrong = cancel_entry(/*target=*/1, cancel_flag::by_opcode | cancel_flag::by_user_data, 4);
    wrong.len = static_cast<std::uint32_t>(opcode::accept);
    EXPECT_EQ(-ENOENT, complete_one(4).res);
    sqe& timer = cancel_entry(/*target=*/0, cancel_flag::by_opcode, 5);
    timer.len = static_cast<std::uint32_t>(opcode::timeout);
    all = complete(2);
    EXPECT_EQ(0, result_of(all, 5));
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
}

TEST_P(cancel_test, of_everything_ends_everything) {
    const auto [ours, theirs] = connected_pair();
    const plain_listener listener = listen_on("127.0.0.1:0");
    ring_.prepare_recv(ours.fd(), buffer_, 1);
    ring_.prepare_accept(listener.socket.fd(), 2);
    ring_.prepare_accept_multishot(listener.socket.fd(), 3);
    ring_.prepare_poll_multishot(ours.fd(), poll_event::in, 4);
    ring_.prepare_timeout(&an_hour, 5);
    expect_nothing();
    ring_.prepare_cancel_everything(9);
    const auto all = complete(6);
    for (std::uint64_t each = 1; each <= 5; ++each) EXPECT_EQ(-ECANCELED, result_of(all, each));
    // D18: io_uring counts the library's own poll as well.
    EXPECT_LE(5, result_of(all, 9));
    EXPECT_GE(is_uring() ? 6 : 5, result_of(all, 9));
    EXPECT_EQ(0U, ring_.in_flight());
}

TEST_P(cancel_test, of_everything_leaves_the_ring_able_to_be_woken) {
    ring_.prepare_cancel_everything(1);
    EXPECT_LE(0, complete_one(1).res);
    const auto start = std::chrono::steady_clock::now();
    ring_.wake();
    EXPECT_EQ(0, wait_through(ring_, 1, patience));
    EXPECT_LT(since(start), 5s);
}

TEST_P(cancel_test, with_flags_that_do_not_go_together_is_einval_and_touches_nothing) {
    const auto [ours, theirs] = connected_pair();
    park_recv(ours, 1);
    for (const std::uint32_t flags :
         {cancel_flag::by_fd | cancel_flag::any, cancel_flag::by_opcode | cancel_flag::any,
          std::uint32_t{1} << 9U}) {
        cancel_entry(1, flags, 2).fd = ours.number();
        EXPECT_EQ(-EINVAL, complete_one(2).res) << flags;
    }
    cancel_entry(1, 0, 2).off = 1;
    EXPECT_EQ(-EINVAL, complete_one(2).res);
    cancel_entry(1, 0, 2).ioprio = 1;
    EXPECT_EQ(-EINVAL, complete_one(2).res);
    ASSERT_TRUE(send_all(theirs, "x"));
    EXPECT_EQ(1, complete_one(1).res);
}

TEST_P(cancel_test, of_a_recv_takes_no_byte_from_the_stream) {
    const auto [ours, theirs] = connected_pair();
    park_recv(ours, 1);
    ring_.prepare_cancel(1, 2);
    EXPECT_EQ(-ECANCELED, result_of(complete(2), 1));
    ASSERT_TRUE(send_all(theirs, "all of it"));
    std::array<std::byte, 64> later{};
    EXPECT_EQ(9, recv(ours, later));
    EXPECT_EQ("all of it", text(later, 9));
}

TEST_P(cancel_test, of_a_recv_for_all_bytes_tells_how_many_there_were) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_recv(ours.fd(), buffer_, 1, msg_flag::wait_all);
    ASSERT_TRUE(send_all(theirs, "abc"));
    while (unread(ours) > 0) expect_nothing();  // Until the operation has taken them.
    ring_.prepare_cancel(1, 2);
    const auto all = complete(2);
    EXPECT_EQ(3, result_of(all, 1));
    EXPECT_EQ(0, result_of(all, 2));
    EXPECT_EQ("abc", text(buffer_, 3));
}

TEST_P(cancel_test, of_a_send_tells_how_much_was_sent_and_the_peer_gets_just_that) {
    auto [ours, theirs] = narrow_pair();
    const std::string bytes = pattern(1 << 20);
    ring_.prepare_send(ours.fd(), bytes_of(std::string_view{bytes}), 1);
    expect_nothing();
    ring_.prepare_cancel(1, 2);
    const auto all = complete(2);
    EXPECT_EQ(0, result_of(all, 2));
    const int sent = result_of(all, 1);
    ASSERT_LT(0, sent);
    ASSERT_GT(1 << 20, sent);
    ours.close();
    EXPECT_EQ(bytes.substr(0, static_cast<std::size_t>(sent)), receive_to_end(theirs));
}

TEST_P(cancel_test, of_a_send_that_sent_nothing_is_ecanceled) {
    const auto [ours, theirs] = narrow_pair();
    fill(ours);
    ring_.prepare_send(ours.fd(), bytes_of(std::string_view{"x"}), 1);
    expect_nothing();
    ring_.prepare_cancel(1, 2);
    EXPECT_EQ(-ECANCELED, result_of(complete(2), 1));
}

TEST_P(cancel_test, of_an_accept_leaves_the_next_connection_to_the_next_accept) {
    const plain_listener listener = listen_on("127.0.0.1:0");
    ring_.prepare_accept(listener.socket.fd(), 1);
    expect_nothing();
    ring_.prepare_cancel(1, 2);
    EXPECT_EQ(-ECANCELED, result_of(complete(2), 1));
    const socket_end client = connect_to(listener.address);
    ring_.prepare_accept(listener.socket.fd(), 3);
    const socket_end accepted{complete_one(3).res};
    EXPECT_LE(0, accepted.number());
}

TEST_P(cancel_test, of_a_connect_that_waits_ends_it) {
    const plain_listener listener = listen_on("127.0.0.1:0", /*backlog=*/0);
    const socket_end client = connect_to(listener.address);  // The one that the backlog holds.
    std::vector<socket_end> sockets;
    const auto* const address = static_cast<const ::sockaddr*>(listener.address.data());
    const auto bytes = static_cast<std::uint32_t>(listener.address.size());
    // Some systems let a few more in.
    for (std::uint64_t each = 0; each < 8; ++each) {
        sockets.push_back(open_stream(address_family::ipv4));
        prep_connect(next_sqe(), sockets.back().fd(), address, bytes, each);
    }
    prep_nop(next_sqe(), 99);
    while (complete_one().user_data != 99) {
    }
    (void)take_ready();
    ring_.prepare_cancel(/*target=*/7, 100);
    const auto all = complete(2);
    EXPECT_EQ(0, result_of(all, 100));
    EXPECT_EQ(-ECANCELED, result_of(all, 7));
}

TEST_P(cancel_test, of_a_poll_ends_it) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_poll_add(ours.fd(), poll_event::in, 1);
    ring_.prepare_poll_multishot(ours.fd(), poll_event::in, 2);
    expect_nothing();
    ring_.prepare_cancel(1, 3);
    ring_.prepare_cancel(2, 4);
    const auto all = complete(4);
    for (const std::uint64_t each : {1U, 2U}) {
        EXPECT_EQ(-ECANCELED, result_of(all, each));
        EXPECT_FALSE(with_user_data(all, each).more());
    }
}

TEST_P(cancel_test, of_a_timeout_ends_it) {
    ring_.prepare_timeout(&an_hour, 1);
    ring_.prepare_timeout(&an_hour, 2, /*completions=*/1000);
    ring_.prepare_cancel(1, 3);
    ring_.prepare_cancel(2, 4);
    const auto all = complete(4);
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_EQ(-ECANCELED, result_of(all, 2));
    EXPECT_EQ(0, result_of(all, 3));
    EXPECT_EQ(0, result_of(all, 4));
}

TEST_P(cancel_test, of_a_chains_head_cancels_the_rest) {
    const auto [ours, theirs] = connected_pair();
    with_link(ring_.prepare_recv(ours.fd(), buffer_, 1));
    with_link(ring_.prepare_nop(2));
    ring_.prepare_nop(3);
    expect_nothing();
    ring_.prepare_cancel(1, 4);
    const auto all = complete(4);
    for (const std::uint64_t each : {1U, 2U, 3U}) EXPECT_EQ(-ECANCELED, result_of(all, each));
    EXPECT_EQ(0, result_of(all, 4));
}

TEST_P(cancel_test, of_the_head_of_a_hard_link_lets_the_rest_run) {
    const auto [ours, theirs] = connected_pair();
    with_hardlink(ring_.prepare_recv(ours.fd(), buffer_, 1));
    ring_.prepare_nop(2);
    expect_nothing();
    ring_.prepare_cancel(1, 3);
    const auto all = complete(3);
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_EQ(0, result_of(all, 2));
}

TEST_P(cancel_test, does_not_find_what_waits_for_its_turn_in_a_chain) {
    const auto [ours, theirs] = connected_pair();
    with_link(ring_.prepare_recv(ours.fd(), buffer_, 1));
    ring_.prepare_nop(2);
    expect_nothing();
    ring_.prepare_cancel(2, 3);
    EXPECT_EQ(-ENOENT, complete_one(3).res);
    ASSERT_TRUE(send_all(theirs, "x"));
    const auto all = complete(2);
    EXPECT_EQ(1, result_of(all, 1));
    EXPECT_EQ(0, result_of(all, 2));
}

TEST_P(cancel_test, that_finds_nothing_breaks_the_link_behind_it) {
    with_link(ring_.prepare_cancel(1, 2));
    ring_.prepare_nop(3);
    const auto all = complete(2);
    EXPECT_EQ(-ENOENT, result_of(all, 2));
    EXPECT_EQ(-ECANCELED, result_of(all, 3));
}

TEST_P(cancel_test, without_a_completion_of_its_own_still_has_the_targets) {
    const auto [ours, theirs] = connected_pair();
    with_skip(ring_.prepare_recv(ours.fd(), buffer_, 1));
    expect_nothing();
    with_skip(ring_.prepare_cancel(1, 2));
    EXPECT_EQ(-ECANCELED, complete_one(1).res);
    expect_nothing();
}

TEST_P(cancel_test, of_many_in_reverse_order_finds_each) {
    const auto [ours, theirs] = connected_pair();
    constexpr std::uint64_t count = 100;
    for (std::uint64_t each = 0; each < count; ++each) {
        prep_poll_add(next_sqe(), ours.fd(), poll_event::in, each);
    }
    expect_nothing();
    for (std::uint64_t each = count; each-- > 0;) {
        prep_cancel(next_sqe(), each, 0, 1000 + each);
    }
    const auto all = complete(2 * count);
    for (std::uint64_t each = 0; each < count; ++each) {
        EXPECT_EQ(-ECANCELED, result_of(all, each));
        EXPECT_EQ(0, result_of(all, 1000 + each));
    }
}

}  // namespace
}  // namespace ioring::conformance
