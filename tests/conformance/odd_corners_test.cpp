// SPDX-License-Identifier: MIT
// odd_corners_test.cpp - what random programs have found (tests/differential), each as small as it
// was shrunk.

#include "conformance.hpp"
#include "ioring/buffer_group.hpp"

namespace ioring::conformance {
namespace {

class odd_corners_test : public backend_test {
protected:
    std::array<std::byte, 64> buffer_{};
};
INSTANTIATE_TEST_SUITE_P(backend, odd_corners_test, every_backend(), backend_name);

TEST_P(odd_corners_test, an_invalid_head_cancels_its_hard_linked_rest) {
    const kernel_timespec hour{.tv_sec = 3600};
    sqe& head = next_sqe();
    prep_link_timeout(head, &hour, 0, 1);  // Nothing is before it that it could bound.
    head.flags |= sqe_flag::io_hardlink;
    prep_nop(next_sqe(), 2);
    const std::vector<cqe> all = complete(2);
    EXPECT_EQ(-EINVAL, with_user_data(all, 1).res);
    EXPECT_EQ(-ECANCELED, with_user_data(all, 2).res);
}

TEST_P(odd_corners_test, one_that_waits_first_but_may_not_wait_is_refused_at_once) {
    const auto [ours, theirs] = connected_pair();
    ASSERT_TRUE(send_all(theirs, "there already"));
    sqe& entry = next_sqe();
    prep_recv(entry, ours.fd(), buffer_, msg_flag::dont_wait, 1);
    entry.ioprio = transfer_flag::poll_first;
    EXPECT_EQ(-EAGAIN, complete_one(1).res);
    EXPECT_EQ(13, recv(ours, buffer_));
}

TEST_P(odd_corners_test, a_failed_shutdown_breaks_no_link) {
    const socket_end fresh = open_stream(address_family::ipv4);
    sqe& head = next_sqe();
    prep_shutdown(head, fresh.fd(), shutdown_how::both, 1);
    head.flags |= sqe_flag::io_link;
    prep_nop(next_sqe(), 2);
    const std::vector<cqe> all = complete(2);
    EXPECT_EQ(-ENOTCONN, with_user_data(all, 1).res);
    EXPECT_EQ(0, with_user_data(all, 2).res);
}

TEST_P(odd_corners_test, a_shutdown_ends_a_send_that_waits_on_the_same_socket) {
    const auto [ours, theirs] = local_pair();
    fill(ours);
    prep_send(next_sqe(), ours.fd(), bytes_of("no room"), msg_flag::no_signal | msg_flag::wait_all,
              1);
    expect_nothing();
    ASSERT_EQ(0, ring_.shutdown_now(ours.fd(), shutdown_how::write));
    EXPECT_EQ(-EPIPE, complete_one(1).res);
}

TEST_P(odd_corners_test, a_part_without_waiting_leaves_the_error_to_the_next) {
    if (plain::has_flaw(plain::flaw::forgets_resets)) GTEST_SKIP() << "the system forgets resets";
    auto [ours, theirs] = connected_pair();
    ASSERT_TRUE(send_all(theirs, "part"));
    ASSERT_TRUE(readable(ours));
    theirs.reset();
    ASSERT_EQ(4, recv(ours, buffer_, msg_flag::dont_wait | msg_flag::wait_all));
    EXPECT_EQ(-ECONNRESET, recv(ours, buffer_));
}

TEST_P(odd_corners_test, a_repeated_timeout_is_not_among_the_completions_that_another_counts) {
    const kernel_timespec hour{.tv_sec = 3600};
    const kernel_timespec soon{.tv_nsec = 1'000'000};
    prep_timeout(next_sqe(), &hour, 3, 0, 1);
    ASSERT_EQ(1, ring_.submit());
    // Linux 6.18 counts them when anything else completes.
    if (is_uring()) return;
    prep_timeout(next_sqe(), &soon, 2, timeout_flag::multishot, 2);
    const std::vector<cqe> two = complete(2);
    EXPECT_EQ(2U, two.front().user_data);
    EXPECT_EQ(2U, two.back().user_data);
    prep_nop(next_sqe(), 3);
    prep_nop(next_sqe(), 4);
    EXPECT_EQ(2U, complete(2).size());
    prep_nop(next_sqe(), 5);
    const std::vector<cqe> last = complete(2);
    EXPECT_EQ(0, with_user_data(last, 1).res);
}

TEST_P(odd_corners_test, a_cancelled_timeout_is_among_the_completions_that_another_counts) {
    const kernel_timespec hour{.tv_sec = 3600};
    prep_timeout(next_sqe(), &hour, 2, 0, 1);
    prep_timeout(next_sqe(), &hour, 0, 0, 2);
    ASSERT_EQ(2, ring_.submit());
    prep_timeout_remove(next_sqe(), 2, 3);
    const std::vector<cqe> all = complete(3);
    EXPECT_EQ(-ECANCELED, with_user_data(all, 2).res);
    EXPECT_EQ(0, with_user_data(all, 3).res);
    EXPECT_EQ(0, with_user_data(all, 1).res);
}

class last_buffer_test : public odd_corners_test {
protected:
    void SetUp() override {
        odd_corners_test::SetUp();
        if (IsSkipped() || !has_it()) return;
        ASSERT_FALSE(buffer_group::create(
            ring_, {.buffers = 1, .buffer_bytes = 4, .incremental = false}, group_));
    }
    [[nodiscard]] bool has_it() const {
        return can(feature::buffer_rings) && can(feature::recv_multishot);
    }
    buffer_group group_;
};
INSTANTIATE_TEST_SUITE_P(backend, last_buffer_test, every_backend(), backend_name);

TEST_P(last_buffer_test, a_receive_that_has_used_it_waits_until_there_is_more) {
    if (!has_it()) return;
    const auto [ours, theirs] = connected_pair();
    prep_recv_multishot(next_sqe(), ours.fd(), group_.id(), 0, 1);
    expect_nothing();
    ASSERT_TRUE(send_all(theirs, "four"));
    const cqe first = complete_one(1);
    ASSERT_EQ(4, first.res);
    ASSERT_TRUE(first.more());
    prep_nop(next_sqe(), 2);
    const cqe next = complete_one();
    if (is_older_uring() && next.user_data == 1) {
        EXPECT_EQ(-ENOBUFS, next.res);  // D26
        return;
    }
    EXPECT_EQ(2U, next.user_data);
    expect_nothing();  // It has no buffer, and no use for one.
    const std::span<std::byte> chunk = group_.take(first);
    ASSERT_TRUE(group_.recycle(chunk));
    ASSERT_TRUE(send_all(theirs, "more"));
    EXPECT_EQ(4, complete_one(1).res);
}

TEST_P(last_buffer_test, one_that_starts_without_a_buffer_ends_at_once) {
    if (!has_it()) return;
    const auto [ours, theirs] = connected_pair();
    ASSERT_TRUE(send_all(theirs, "four"));
    prep_recv_multishot(next_sqe(), ours.fd(), group_.id(), 0, 1);
    const cqe first = complete_one(1);
    ASSERT_EQ(4, first.res);
    prep_cancel(next_sqe(), 1, 0, 2);
    ASSERT_EQ(2U, complete(2).size());
    // Although the socket is known to be empty by now.
    prep_recv_multishot(next_sqe(), ours.fd(), group_.id(), 0, 3);
    EXPECT_EQ(-ENOBUFS, complete_one(3).res);
}

TEST_P(odd_corners_test, an_accept_of_a_connection_is_refused_when_it_is_known_to_be_empty_too) {
    const auto [ours, theirs] = connected_pair();
    prep_recv(next_sqe(), ours.fd(), buffer_, 0, 1);
    expect_nothing();
    ASSERT_TRUE(send_all(theirs, "x"));
    ASSERT_EQ(1, complete_one(1).res);
    prep_accept(next_sqe(), ours.fd(), nullptr, nullptr, 0, 2);
    EXPECT_EQ(-EINVAL, complete_one(2).res);
}

TEST_P(odd_corners_test, a_read_into_a_slot_without_memory_fails_on_an_empty_socket_too) {
    const auto [ours, theirs] = connected_pair();
    prep_recv(next_sqe(), ours.fd(), buffer_, 0, 1);
    expect_nothing();
    ASSERT_TRUE(send_all(theirs, "x"));
    ASSERT_EQ(1, complete_one(1).res);
    prep_read_fixed(next_sqe(), ours.fd(), buffer_, 0, 1000, 2);
    EXPECT_EQ(-EFAULT, complete_one(2).res);
}

}  // namespace
}  // namespace ioring::conformance
