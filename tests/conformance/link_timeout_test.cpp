// SPDX-License-Identifier: MIT
// link_timeout_test.cpp - a bound on one operation: when it fires, when not, and what comes after.
#include <chrono>

#include "entries.hpp"

namespace ioring::conformance {
namespace {

class link_timeout_test : public backend_test {
protected:
    void SetUp() override {
        backend_test::SetUp();
        pair_ = connected_pair();
    }
    sqe* prepare_recv(std::uint64_t user_data) {
        return ring_.prepare_recv(pair_.ours.fd(), buffer_, user_data);
    }

    kernel_timespec soon_ = time_of(10ms);
    std::array<std::byte, 16> buffer_{};
    socket_pair pair_;
};
INSTANTIATE_TEST_SUITE_P(backend, link_timeout_test, every_backend(), backend_name);

TEST_P(link_timeout_test, that_fires_cancels_the_operation) {
    const auto start = std::chrono::steady_clock::now();
    with_link(prepare_recv(1));
    ring_.prepare_link_timeout(&soon_, 2);
    const auto all = complete(2);
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_EQ(-ETIME, result_of(all, 2));
    EXPECT_GE(since(start), 9ms);
    expect_nothing();
}

TEST_P(link_timeout_test, ends_with_ecanceled_when_the_operation_is_sooner) {
    with_link(prepare_recv(1));
    ring_.prepare_link_timeout(&an_hour, 2);
    expect_nothing();
    ASSERT_TRUE(send_all(pair_.theirs, "x"));
    const auto all = complete(2);
    EXPECT_EQ(1, result_of(all, 1));
    EXPECT_EQ(-ECANCELED, result_of(all, 2));
    expect_nothing();
}

TEST_P(link_timeout_test, of_what_completes_at_once_ends_with_ecanceled) {
    with_link(ring_.prepare_nop(1));
    ring_.prepare_link_timeout(&an_hour, 2);
    const auto all = complete(2);
    EXPECT_EQ(0, result_of(all, 1));
    EXPECT_EQ(-ECANCELED, result_of(all, 2));
}

TEST_P(link_timeout_test, of_what_fails_at_once_ends_with_ecanceled) {
    with_link(ring_.prepare_recv(fd{-1}, buffer_, 1));
    ring_.prepare_link_timeout(&an_hour, 2);
    const auto all = complete(2);
    EXPECT_EQ(-EBADF, result_of(all, 1));
    EXPECT_EQ(-ECANCELED, result_of(all, 2));
}

TEST_P(link_timeout_test, of_no_length_fires_at_once) {
    const kernel_timespec none = time_of(0ns);
    with_link(prepare_recv(1));
    ring_.prepare_link_timeout(&none, 2);
    const auto all = complete(2);
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_EQ(-ETIME, result_of(all, 2));
}

TEST_P(link_timeout_test, at_a_date) {
    const kernel_timespec date =
        time_of(std::chrono::steady_clock::now().time_since_epoch() + 10ms);
    with_link(prepare_recv(1));
    ring_.prepare_link_timeout(&date, 2, timeout_flag::absolute);
    const auto all = complete(2);
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_EQ(-ETIME, result_of(all, 2));
}

TEST_P(link_timeout_test, takes_no_byte_from_the_stream) {
    with_link(prepare_recv(1));
    ring_.prepare_link_timeout(&soon_, 2);
    EXPECT_EQ(-ECANCELED, result_of(complete(2), 1));
    ASSERT_TRUE(send_all(pair_.theirs, "abc"));
    EXPECT_EQ(3, recv(pair_.ours, buffer_));
}

TEST_P(link_timeout_test, of_a_transfer_that_was_part_done_leaves_its_byte_count) {
    with_link(ring_.prepare_recv(pair_.ours.fd(), buffer_, 1, msg_flag::wait_all));
    ring_.prepare_link_timeout(&soon_, 2);
    ASSERT_TRUE(send_all(pair_.theirs, "abc"));
    const auto all = complete(2);
    EXPECT_EQ(3, result_of(all, 1));
    EXPECT_EQ(-ETIME, result_of(all, 2));
}

TEST_P(link_timeout_test, starts_with_its_operation_not_with_the_chain) {
    const auto [other, other_peer] = connected_pair();
    std::array<std::byte, 16> elsewhere{};
    with_link(ring_.prepare_recv(other.fd(), elsewhere, 1));
    with_link(prepare_recv(2));
    ring_.prepare_link_timeout(&soon_, 3);
    ASSERT_EQ(3, ring_.submit());
    EXPECT_EQ(0, wait_through(ring_, 1, 30ms));  // Longer than the bound.
    ASSERT_TRUE(send_all(other_peer, "x"));
    const auto all = complete(3);
    EXPECT_EQ(1, result_of(all, 1));
    EXPECT_EQ(-ECANCELED, result_of(all, 2));
    EXPECT_EQ(-ETIME, result_of(all, 3));
}

TEST_P(link_timeout_test, that_fires_cancels_the_chain_behind_it) {
    with_link(prepare_recv(1));
    with_link(ring_.prepare_link_timeout(&soon_, 2));
    ring_.prepare_nop(3);
    const auto all = complete(3);
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_EQ(-ETIME, result_of(all, 2));
    EXPECT_EQ(-ECANCELED, result_of(all, 3));
}

TEST_P(link_timeout_test, that_does_not_fire_lets_the_chain_behind_it_run) {
    with_link(prepare_recv(1));
    with_link(ring_.prepare_link_timeout(&an_hour, 2));
    ring_.prepare_nop(3);
    expect_nothing();
    ASSERT_TRUE(send_all(pair_.theirs, "x"));
    const auto all = complete(3);
    EXPECT_EQ(1, result_of(all, 1));
    EXPECT_EQ(-ECANCELED, result_of(all, 2));
    EXPECT_EQ(0, result_of(all, 3));
}

TEST_P(link_timeout_test, that_fires_in_a_hard_linked_chain_lets_it_go_on) {
    with_hardlink(prepare_recv(1));
    with_hardlink(ring_.prepare_link_timeout(&soon_, 2));
    ring_.prepare_nop(3);
    const auto all = complete(3);
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_EQ(-ETIME, result_of(all, 2));
    EXPECT_EQ(0, result_of(all, 3));
}

TEST_P(link_timeout_test, that_bounds_nothing_is_einval) {
    ring_.prepare_link_timeout(&an_hour, 1);
    EXPECT_EQ(-EINVAL, complete_one(1).res);
    ring_.prepare_nop(2);  // Not linked.
    ring_.prepare_link_timeout(&an_hour, 3);
    const auto all = complete(2);
    EXPECT_EQ(0, result_of(all, 2));
    EXPECT_EQ(-EINVAL, result_of(all, 3));
}

TEST_P(link_timeout_test, behind_another_one_is_einval_and_cancels_the_chain) {
    with_link(prepare_recv(1));
    with_link(ring_.prepare_link_timeout(&an_hour, 2));
    ring_.prepare_link_timeout(&an_hour, 3);
    const auto all = complete(3);
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_EQ(-ECANCELED, result_of(all, 2));
    EXPECT_EQ(-EINVAL, result_of(all, 3));
}

TEST_P(link_timeout_test, with_a_time_that_is_none_cancels_the_chain) {
    const kernel_timespec negative{.tv_sec = -1, .tv_nsec = 0};
    with_link(prepare_recv(1));
    ring_.prepare_link_timeout(nullptr, 2);
    auto all = complete(2);
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_EQ(-EFAULT, result_of(all, 2));
    with_link(prepare_recv(1));
    ring_.prepare_link_timeout(&negative, 2);
    all = complete(2);
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_EQ(-EINVAL, result_of(all, 2));
    with_link(prepare_recv(1));
    ring_.prepare_link_timeout(&soon_, 2)->off = 1;  // A count: only a timeout has one.
    all = complete(2);
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_EQ(-EINVAL, result_of(all, 2));
}

TEST_P(link_timeout_test, is_found_by_its_own_update_only) {
    with_link(prepare_recv(1));
    ring_.prepare_link_timeout(&an_hour, 2);
    ASSERT_EQ(2, ring_.submit());
    ring_.prepare_timeout_update(&soon_, 2, 3);
    ring_.prepare_timeout_remove(2, 4);
    ring_.prepare_cancel(2, 5);
    auto all = complete(3);
    for (const std::uint64_t each : {3U, 4U, 5U}) EXPECT_EQ(-ENOENT, result_of(all, each));
    ring_.prepare_timeout_update(&soon_, 2, 6, timeout_flag::link_timeout_update);
    all = complete(3);
    EXPECT_EQ(0, result_of(all, 6));
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_EQ(-ETIME, result_of(all, 2));
    ring_.prepare_timeout_update(&soon_, 2, 7, timeout_flag::link_timeout_update);
    EXPECT_EQ(-ENOENT, complete_one(7).res);
}

TEST_P(link_timeout_test, ends_with_its_operation_when_that_is_cancelled) {
    with_link(prepare_recv(1));
    ring_.prepare_link_timeout(&an_hour, 2);
    ASSERT_EQ(2, ring_.submit());
    ring_.prepare_cancel(1, 3);
    const auto all = complete(3);
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_EQ(-ECANCELED, result_of(all, 2));
    EXPECT_EQ(0, result_of(all, 3));
}

TEST_P(link_timeout_test, bounds_a_timeout_a_poll_and_an_accept_as_well) {
    const plain_listener listener = listen_on("127.0.0.1:0");
    with_link(ring_.prepare_timeout(&an_hour, 1));
    ring_.prepare_link_timeout(&soon_, 2);
    with_link(ring_.prepare_poll_add(pair_.ours.fd(), poll_event::in, 3));
    ring_.prepare_link_timeout(&soon_, 4);
    with_link(ring_.prepare_accept(listener.socket.fd(), 5));
    ring_.prepare_link_timeout(&soon_, 6);
    const auto all = complete(6);
    for (const std::uint64_t each : {1U, 3U, 5U}) {
        EXPECT_EQ(-ECANCELED, result_of(all, each));
        EXPECT_EQ(-ETIME, result_of(all, each + 1));
    }
}

TEST_P(link_timeout_test, of_silent_entries_posts_the_failure_only) {
    with_link(with_skip(prepare_recv(1)));
    with_skip(ring_.prepare_link_timeout(&soon_, 2));
    EXPECT_EQ(-ECANCELED, complete_one(1).res);
    expect_nothing();
}

TEST_P(link_timeout_test, of_many_at_once_each_bounds_its_own) {
    std::array<std::byte, 16> elsewhere{};
    const auto [other, other_peer] = connected_pair();
    with_link(prepare_recv(1));
    ring_.prepare_link_timeout(&an_hour, 2);
    with_link(ring_.prepare_recv(other.fd(), elsewhere, 3));
    ring_.prepare_link_timeout(&soon_, 4);
    auto all = complete(2);
    EXPECT_EQ(-ECANCELED, result_of(all, 3));
    EXPECT_EQ(-ETIME, result_of(all, 4));
    expect_nothing();
    ASSERT_TRUE(send_all(pair_.theirs, "x"));
    all = complete(2);
    EXPECT_EQ(1, result_of(all, 1));
    EXPECT_EQ(-ECANCELED, result_of(all, 2));
}

}  // namespace
}  // namespace ioring::conformance
