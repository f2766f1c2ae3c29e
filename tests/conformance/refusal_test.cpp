// SPDX-License-Identifier: MIT
// refusal_test.cpp - what a backend does not know, or has not, is an error and never silence.

#include "entries.hpp"

namespace ioring::conformance {
namespace {

class refusal_test : public backend_test {
protected:
    std::array<std::byte, 16> buffer_{};
};
INSTANTIATE_TEST_SUITE_P(backend, refusal_test, every_backend(), backend_name);

TEST_P(refusal_test, draining_is_einval) {
    if (is_uring()) return;  // D10 and D18: known there, and may have no end.
    with_flags(ring_.prepare_nop(1), sqe_flag::io_drain);
    EXPECT_EQ(-EINVAL, complete_one(1).res);
}

TEST_P(refusal_test, a_feature_that_is_missing_is_einval) {
    const auto [ours, theirs] = connected_pair();
    const kernel_timespec soon = time_of(1ms);
    std::string bytes{"x"};
    if (!can(feature::recv_multishot)) {
        ring_.prepare_recv_multishot(ours.fd(), 0, 1);
        EXPECT_EQ(-EINVAL, complete_one(1).res);
    }
    if (!can(feature::timeout_multishot)) {
        ring_.prepare_timeout(&soon, 2, 2, timeout_flag::multishot);
        EXPECT_EQ(-EINVAL, complete_one(2).res);
    }
    if (!can(feature::send_vectorized)) {
        // By the bare entry: a system without it may have no iovec either.
        sqe& entry = next_sqe();
        prep_send(entry, ours.fd(), bytes_of(std::string_view{bytes}), 0, 3);
        entry.ioprio = transfer_flag::send_vectorized;
        EXPECT_EQ(-EINVAL, complete_one(3).res);
        EXPECT_EQ(0U, unread(theirs));
    }
    if (!can(opcode::send_zc)) {
        // By the bare entry: ring::prepare_send_zc() sends plainly here.
        prep_send_zc(next_sqe(), ours.fd(), bytes_of(std::string_view{"x"}), msg_flag::no_signal,
                     /*zc_flags=*/0, 4);
        EXPECT_EQ(-EINVAL, complete_one(4).res);
    }
    if (!can(feature::bundles)) {
        sqe* const entry = ring_.prepare_recv_select(ours.fd(), 0, 5);
        entry->ioprio = transfer_flag::bundle;
        EXPECT_EQ(-EINVAL, complete_one(5).res);
    }
    expect_nothing();
}

TEST_P(refusal_test, a_null_pointer_is_efault) {
    const auto [ours, theirs] = connected_pair();
    sqe* entry = ring_.prepare_send(ours.fd(), bytes_of(std::string_view{"x"}), 1);
    entry->addr = 0;
    EXPECT_EQ(-EFAULT, complete_one(1).res);
    ASSERT_TRUE(send_all(theirs, "x"));
    entry = ring_.prepare_recv(ours.fd(), buffer_, 2);
    entry->addr = 0;
    EXPECT_EQ(-EFAULT, complete_one(2).res);
    ring_.prepare_sendmsg(ours.fd(), nullptr, 3);
    EXPECT_EQ(can(opcode::sendmsg) ? -EFAULT : -EINVAL, complete_one(3).res);
    ring_.prepare_recvmsg(ours.fd(), nullptr, 4);
    EXPECT_EQ(can(opcode::recvmsg) ? -EFAULT : -EINVAL, complete_one(4).res);
    EXPECT_EQ(1U, unread(ours));
}

}  // namespace
}  // namespace ioring::conformance
