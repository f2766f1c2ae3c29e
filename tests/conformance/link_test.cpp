// SPDX-License-Identifier: MIT
// link_test.cpp - chains: what runs after what, what breaks one, and what becomes of the rest.

#include "entries.hpp"

namespace ioring::conformance {
namespace {

inline constexpr opcode no_opcode{200};

class link_test : public backend_test {
protected:
    // A descriptor that is not open: fails when it is issued, not before.
    sqe* prepare_failing(std::uint64_t user_data) {
        return ring_.prepare_recv(fd{-1}, buffer_, user_data);
    }
    // No such operation: fails when its entry is read.
    sqe* prepare_invalid(std::uint64_t user_data) {
        sqe* const entry = ring_.prepare_nop(user_data);
        if (entry != nullptr) entry->op = no_opcode;
        return entry;
    }

    std::array<std::byte, 16> buffer_{};
};
INSTANTIATE_TEST_SUITE_P(backend, link_test, every_prompt_backend(), backend_name);

TEST_P(link_test, runs_one_after_the_other) {
    const auto [ours, theirs] = connected_pair();
    with_link(ring_.prepare_recv(ours.fd(), buffer_, 1));
    with_link(ring_.prepare_send(ours.fd(), bytes_of(std::string_view{"answer"}), 2));
    ring_.prepare_nop(3);
    expect_nothing();
    EXPECT_EQ(0U, unread(theirs));
    ASSERT_TRUE(send_all(theirs, "question"));
    EXPECT_EQ(8, complete_one(1).res);  // Those of one chain come in its order.
    EXPECT_EQ(6, complete_one(2).res);
    EXPECT_EQ(0, complete_one(3).res);
    EXPECT_EQ("answer", receive(theirs, 6));
}

TEST_P(link_test, chains_do_not_wait_for_each_other) {
    const auto [ours, theirs] = connected_pair();
    with_link(ring_.prepare_recv(ours.fd(), buffer_, 1));
    ring_.prepare_nop(2);
    with_link(ring_.prepare_nop(3));
    ring_.prepare_nop(4);
    const auto all = complete(2);
    EXPECT_EQ(0, result_of(all, 3));
    EXPECT_EQ(0, result_of(all, 4));
}

TEST_P(link_test, a_failed_head_cancels_the_rest) {
    with_link(prepare_failing(1));
    with_link(ring_.prepare_nop(2));
    ring_.prepare_nop(3);
    ring_.prepare_nop(4);  // Not of the chain.
    const auto all = complete(4);
    EXPECT_EQ(-EBADF, result_of(all, 1));
    EXPECT_EQ(-ECANCELED, result_of(all, 2));
    EXPECT_EQ(-ECANCELED, result_of(all, 3));
    EXPECT_EQ(0, result_of(all, 4));
}

TEST_P(link_test, a_failure_in_the_middle_cancels_what_follows_only) {
    with_link(ring_.prepare_nop(1));
    with_link(prepare_failing(2));
    with_link(ring_.prepare_nop(3));
    ring_.prepare_nop(4);
    const auto all = complete(4);
    EXPECT_EQ(0, result_of(all, 1));
    EXPECT_EQ(-EBADF, result_of(all, 2));
    EXPECT_EQ(-ECANCELED, result_of(all, 3));
    EXPECT_EQ(-ECANCELED, result_of(all, 4));
}

TEST_P(link_test, an_invalid_entry_anywhere_cancels_all_the_others) {
    const auto [ours, theirs] = connected_pair();
    with_link(ring_.prepare_send(ours.fd(), bytes_of(std::string_view{"x"}), 1));
    with_link(prepare_invalid(2));
    with_link(ring_.prepare_nop(3));
    ring_.prepare_nop(4);
    ring_.prepare_nop(5);
    const auto all = complete(5);
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_EQ(-EINVAL, result_of(all, 2));
    EXPECT_EQ(-ECANCELED, result_of(all, 3));
    EXPECT_EQ(-ECANCELED, result_of(all, 4));
    EXPECT_EQ(0, result_of(all, 5));
    EXPECT_EQ(0U, unread(theirs));  // What stood before it has not run either.
}

TEST_P(link_test, an_invalid_head_cancels_the_rest) {
    with_link(prepare_invalid(1));
    ring_.prepare_nop(2);
    const auto all = complete(2);
    EXPECT_EQ(-EINVAL, result_of(all, 1));
    EXPECT_EQ(-ECANCELED, result_of(all, 2));
}

TEST_P(link_test, an_invalid_last_entry_cancels_the_ones_before) {
    with_link(ring_.prepare_nop(1));
    prepare_invalid(2);
    const auto all = complete(2);
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_EQ(-EINVAL, result_of(all, 2));
}

TEST_P(link_test, an_invalid_entry_cancels_hard_links_too) {
    with_hardlink(ring_.prepare_nop(1));
    with_hardlink(prepare_invalid(2));
    ring_.prepare_nop(3);
    const auto all = complete(3);
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_EQ(-EINVAL, result_of(all, 2));
    EXPECT_EQ(-ECANCELED, result_of(all, 3));
}

TEST_P(link_test, a_hard_link_goes_on_after_a_failure) {
    with_hardlink(prepare_failing(1));
    with_hardlink(ring_.prepare_nop(2));
    ring_.prepare_nop(3);
    const auto all = complete(3);
    EXPECT_EQ(-EBADF, result_of(all, 1));
    EXPECT_EQ(0, result_of(all, 2));
    EXPECT_EQ(0, result_of(all, 3));
}

TEST_P(link_test, hard_and_soft_links_mix_entry_by_entry) {
    with_hardlink(prepare_failing(1));
    with_link(prepare_failing(2));
    ring_.prepare_nop(3);
    const auto all = complete(3);
    EXPECT_EQ(-EBADF, result_of(all, 1));
    EXPECT_EQ(-EBADF, result_of(all, 2));
    EXPECT_EQ(-ECANCELED, result_of(all, 3));
}

TEST_P(link_test, a_short_recv_breaks_a_link_only_when_all_bytes_were_asked_for) {
    const auto [ours, theirs] = connected_pair();
    with_link(ring_.prepare_recv(ours.fd(), buffer_, 1));
    ring_.prepare_nop(2);
    ASSERT_TRUE(send_all(theirs, "abc"));
    auto all = complete(2);
    EXPECT_EQ(3, result_of(all, 1));
    EXPECT_EQ(0, result_of(all, 2));

    with_link(ring_.prepare_recv(ours.fd(), buffer_, 1, msg_flag::wait_all));
    ring_.prepare_nop(2);
    ASSERT_TRUE(send_all(theirs, "abc"));
    shut_down(theirs, shutdown_how::write);
    all = complete(2);
    EXPECT_EQ(3, result_of(all, 1));
    EXPECT_EQ(-ECANCELED, result_of(all, 2));
}

TEST_P(link_test, the_end_of_stream_breaks_a_link_only_when_all_bytes_were_asked_for) {
    const auto [ours, theirs] = connected_pair();
    shut_down(theirs, shutdown_how::write);
    with_link(ring_.prepare_recv(ours.fd(), buffer_, 1));
    ring_.prepare_nop(2);
    auto all = complete(2);
    EXPECT_EQ(0, result_of(all, 1));
    EXPECT_EQ(0, result_of(all, 2));
    with_link(ring_.prepare_recv(ours.fd(), buffer_, 1, msg_flag::wait_all));
    ring_.prepare_nop(2);
    all = complete(2);
    EXPECT_EQ(0, result_of(all, 1));
    EXPECT_EQ(-ECANCELED, result_of(all, 2));
}

TEST_P(link_test, a_short_send_breaks_a_link_only_when_all_bytes_were_asked_for) {
    const std::string bytes = pattern(1 << 20);
    {
        const auto [ours, theirs] = narrow_pair();
        with_link(ring_.prepare_send(ours.fd(), bytes_of(std::string_view{bytes}), 1,
                                     msg_flag::no_signal));
        ring_.prepare_nop(2);
        const auto all = complete(2);
        EXPECT_LT(0, result_of(all, 1));
        EXPECT_GT(1 << 20, result_of(all, 1));
        EXPECT_EQ(0, result_of(all, 2));
    }
    auto [ours, theirs] = narrow_pair();
    with_link(ring_.prepare_send(ours.fd(), bytes_of(std::string_view{bytes}), 1));
    ring_.prepare_nop(2);
    expect_nothing();
    theirs.reset();
    const auto all = complete(2);
    EXPECT_GT(1 << 20, result_of(all, 1));
    EXPECT_EQ(-ECANCELED, result_of(all, 2));
}

TEST_P(link_test, a_chain_that_starts_late_fails_as_it_would_have_at_once) {
    const auto [ours, theirs] = connected_pair();
    with_link(ring_.prepare_recv(ours.fd(), buffer_, 1));
    with_link(prepare_failing(2));
    with_link(ring_.prepare_nop(3));
    ring_.prepare_nop(4);
    expect_nothing();
    ASSERT_TRUE(send_all(theirs, "x"));
    const auto all = complete(4);
    EXPECT_EQ(1, result_of(all, 1));
    EXPECT_EQ(-EBADF, result_of(all, 2));
    EXPECT_EQ(-ECANCELED, result_of(all, 3));
    EXPECT_EQ(-ECANCELED, result_of(all, 4));
}

TEST_P(link_test, ends_with_the_submission) {
    const auto [ours, theirs] = connected_pair();
    with_link(ring_.prepare_recv(ours.fd(), buffer_, 1));
    ASSERT_EQ(1, ring_.submit());
    ring_.prepare_nop(2);
    EXPECT_EQ(0, complete_one(2).res);  // It does not wait for the recv.
}

TEST_P(link_test, the_mark_on_the_last_entry_of_a_chain_links_to_nothing) {
    with_link(ring_.prepare_nop(1));
    with_link(ring_.prepare_nop(2));
    const auto all = complete(2);
    EXPECT_EQ(0, result_of(all, 1));
    EXPECT_EQ(0, result_of(all, 2));
}

TEST_P(link_test, both_marks_are_a_hard_link) {
    with_hardlink(with_link(prepare_failing(1)));
    ring_.prepare_nop(2);
    EXPECT_EQ(0, result_of(complete(2), 2));
}

TEST_P(link_test, silent_members_post_nothing_and_the_last_one_tells_the_end) {
    const auto [ours, theirs] = connected_pair();
    with_link(with_skip(ring_.prepare_send(ours.fd(), bytes_of(std::string_view{"x"}), 1)));
    with_link(with_skip(ring_.prepare_nop(2)));
    ring_.prepare_nop(3);
    EXPECT_EQ(0, complete_one(3).res);
    EXPECT_EQ("x", receive(theirs, 1));
    expect_nothing();
    EXPECT_EQ(0U, take_ready().size());
}

TEST_P(link_test, a_silent_member_that_fails_posts_its_error) {
    with_skip(prepare_failing(1));
    EXPECT_EQ(-EBADF, complete_one(1).res);
    with_skip(prepare_invalid(2));
    EXPECT_EQ(-EINVAL, complete_one(2).res);
}

TEST_P(link_test, a_silent_member_that_fails_silences_what_it_cancels) {
    with_link(with_skip(prepare_failing(1)));
    with_link(ring_.prepare_nop(2));
    ring_.prepare_nop(3);
    EXPECT_EQ(-EBADF, complete_one(1).res);
    expect_nothing();
}

TEST_P(link_test, a_member_that_fails_aloud_cancels_silent_ones_aloud) {
    with_link(prepare_failing(1));
    with_link(with_skip(ring_.prepare_nop(2)));
    ring_.prepare_nop(3);
    const auto all = complete(3);
    EXPECT_EQ(-EBADF, result_of(all, 1));
    EXPECT_EQ(-ECANCELED, result_of(all, 2));
    EXPECT_EQ(-ECANCELED, result_of(all, 3));
}

TEST_P(link_test, a_chain_of_the_queues_whole_size_runs) {
    const std::uint32_t count = ring_.submission_queue_space();
    for (std::uint32_t each = 1; each < count; ++each) with_link(ring_.prepare_nop(each));
    ring_.prepare_nop(count);
    const auto all = complete(count);
    for (std::uint32_t each = 1; each <= count; ++each) EXPECT_EQ(0, result_of(all, each));
}

TEST_P(link_test, reserve_keeps_a_chain_together_across_a_full_queue) {
    const auto [ours, theirs] = connected_pair();
    while (ring_.submission_queue_space() > 1) ring_.prepare_nop(100);
    ASSERT_TRUE(ring_.reserve(2));
    with_link(ring_.prepare_recv(ours.fd(), buffer_, 1));
    ring_.prepare_nop(2);
    ASSERT_LE(0, ring_.submit());
    (void)take_ready();
    expect_nothing();  // The nop of the chain is still waiting.
    ASSERT_TRUE(send_all(theirs, "x"));
    EXPECT_EQ(1, complete_one(1).res);
    EXPECT_EQ(0, complete_one(2).res);
}

TEST_P(link_test, an_accept_behind_a_connect_finds_its_connection) {
    const plain_listener listener = listen_on("127.0.0.1:0");
    const socket_end client = open_stream(address_family::ipv4);
    with_link(ring_.prepare_connect(client.fd(), listener.address, 1));
    ring_.prepare_accept(listener.socket.fd(), 2);
    const auto all = complete(2);
    EXPECT_EQ(0, result_of(all, 1));
    const socket_end accepted{result_of(all, 2)};
    EXPECT_LE(0, accepted.number());
}

}  // namespace
}  // namespace ioring::conformance
