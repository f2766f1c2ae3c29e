// SPDX-License-Identifier: MIT
// entry_twins_test.cpp - each function of ioring.h fills an entry as its twin of prep.hpp does.
#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "ioring/ioring.h"
#include "ioring/prep.hpp"

namespace ioring {
namespace {

class entry_twins_test : public ::testing::Test {
protected:
    entry_twins_test() { std::memset(&theirs_, 0xee, sizeof theirs_); }  // All of it is written.

    void expect_same(const sqe& ours) {
        ioring_sqe_set_data64(&theirs_, ours.user_data);
        EXPECT_EQ(0, std::memcmp(&ours, &theirs_, sizeof ours));
    }

    sqe ours_;
    ioring_sqe theirs_;
    std::array<std::byte, 100> bytes_{};
    kernel_timespec time_{.tv_sec = 1, .tv_nsec = 2};
    const ioring_timespec* their_time_ = reinterpret_cast<const ioring_timespec*>(&time_);
};

TEST_F(entry_twins_test, nop_and_close_and_shutdown) {
    prep_nop(ours_, 7);
    ioring_prep_nop(&theirs_);
    expect_same(ours_);
    prep_close(ours_, fd{5}, 7);
    ioring_prep_close(&theirs_, 5);
    expect_same(ours_);
    prep_shutdown(ours_, fd{5}, shutdown_how::write, 7);
    ioring_prep_shutdown(&theirs_, 5, IOR_SHUTDOWN_WRITE);
    expect_same(ours_);
}

TEST_F(entry_twins_test, accept_and_connect) {
    std::uint32_t size = 0;
    auto* const address = reinterpret_cast<::sockaddr*>(bytes_.data());
    prep_accept(ours_, fd{5}, address, &size, socket_flag::cloexec, 7);
    ioring_prep_accept(&theirs_, 5, address, &size, IOR_SOCKET_CLOEXEC);
    expect_same(ours_);
    prep_accept_multishot(ours_, fd{5}, socket_flag::nonblock, 7);
    ioring_prep_multishot_accept(&theirs_, 5, IOR_SOCKET_NONBLOCK);
    expect_same(ours_);
    prep_connect(ours_, fd{5}, address, 16, 7);
    ioring_prep_connect(&theirs_, 5, address, 16);
    expect_same(ours_);
}

TEST_F(entry_twins_test, transfers) {
    prep_recv(ours_, fd{5}, bytes_, msg_flag::peek, 7);
    ioring_prep_recv(&theirs_, 5, bytes_.data(), bytes_.size(), IOR_MSG_PEEK);
    expect_same(ours_);
    prep_recv_select(ours_, fd{5}, 3, 50, msg_flag::trunc, 7);
    ioring_prep_recv_select(&theirs_, 5, 3, 50, IOR_MSG_TRUNC);
    expect_same(ours_);
    prep_recv_multishot(ours_, fd{5}, 3, 0, 7);
    ioring_prep_recv_multishot(&theirs_, 5, 3, 0);
    expect_same(ours_);
    prep_send(ours_, fd{5}, bytes_, msg_flag::wait_all, 7);
    ioring_prep_send(&theirs_, 5, bytes_.data(), bytes_.size(), IOR_MSG_WAIT_ALL);
    expect_same(ours_);
    prep_send_zc(ours_, fd{5}, bytes_, msg_flag::more, transfer_flag::zc_report_usage, 7);
    ioring_prep_send_zc(&theirs_, 5, bytes_.data(), bytes_.size(), IOR_MSG_MORE,
                        IOR_TRANSFER_ZC_REPORT_USAGE);
    expect_same(ours_);
    auto* const message = reinterpret_cast<::msghdr*>(bytes_.data());
    prep_sendmsg(ours_, fd{5}, message, msg_flag::no_signal, 7);
    ioring_prep_sendmsg(&theirs_, 5, message, IOR_MSG_NO_SIGNAL);
    expect_same(ours_);
    prep_recvmsg(ours_, fd{5}, message, msg_flag::dont_wait, 7);
    ioring_prep_recvmsg(&theirs_, 5, message, IOR_MSG_DONT_WAIT);
    expect_same(ours_);
    prep_recvmsg_multishot(ours_, fd{5}, message, 3, msg_flag::trunc, 7);
    ioring_prep_recvmsg_multishot(&theirs_, 5, message, 3, IOR_MSG_TRUNC);
    expect_same(ours_);
}

TEST_F(entry_twins_test, a_transfer_of_more_than_one_moves_is_cut_alike) {
    const std::size_t all = std::size_t{1} << 40U;
    prep_recv(ours_, fd{5}, {bytes_.data(), all}, 0, 7);
    ioring_prep_recv(&theirs_, 5, bytes_.data(), all, 0);
    expect_same(ours_);
}

TEST_F(entry_twins_test, cancels) {
    prep_cancel(ours_, 99, cancel_flag::all, 7);
    ioring_prep_cancel64(&theirs_, 99, IOR_CANCEL_ALL);
    expect_same(ours_);
    prep_cancel_fd(ours_, fd{5}, cancel_flag::all, 7);
    ioring_prep_cancel_fd(&theirs_, 5, IOR_CANCEL_ALL);
    expect_same(ours_);
}

TEST_F(entry_twins_test, polls) {
    prep_poll_add(ours_, fd{5}, poll_event::in, 7);
    ioring_prep_poll_add(&theirs_, 5, IOR_POLL_IN);
    expect_same(ours_);
    prep_poll_multishot(ours_, fd{5}, poll_event::out, 7);
    ioring_prep_poll_multishot(&theirs_, 5, IOR_POLL_OUT);
    expect_same(ours_);
    prep_poll_update(ours_, 99, 98, poll_event::pri, poll_flag::update_events, 7);
    ioring_prep_poll_update(&theirs_, 99, 98, IOR_POLL_PRI, IOR_POLL_UPDATE_EVENTS);
    expect_same(ours_);
    prep_poll_remove(ours_, 99, 7);
    ioring_prep_poll_remove(&theirs_, 99);
    expect_same(ours_);
}

TEST_F(entry_twins_test, timeouts) {
    prep_timeout(ours_, &time_, 3, timeout_flag::absolute, 7);
    ioring_prep_timeout(&theirs_, their_time_, 3, IOR_TIMEOUT_ABSOLUTE);
    expect_same(ours_);
    prep_timeout_update(ours_, &time_, 99, timeout_flag::absolute, 7);
    ioring_prep_timeout_update(&theirs_, their_time_, 99, IOR_TIMEOUT_ABSOLUTE);
    expect_same(ours_);
    prep_timeout_remove(ours_, 99, 7);
    ioring_prep_timeout_remove(&theirs_, 99);
    expect_same(ours_);
    prep_link_timeout(ours_, &time_, timeout_flag::boottime, 7);
    ioring_prep_link_timeout(&theirs_, their_time_, IOR_TIMEOUT_BOOTTIME);
    expect_same(ours_);
}

TEST_F(entry_twins_test, making_sockets) {
    auto* const address = reinterpret_cast<::sockaddr*>(bytes_.data());
    prep_socket(ours_, 2, 1, 6, 7);
    ioring_prep_socket(&theirs_, 2, 1, 6);
    expect_same(ours_);
    prep_bind(ours_, fd{5}, address, 16, 7);
    ioring_prep_bind(&theirs_, 5, address, 16);
    expect_same(ours_);
    prep_listen(ours_, fd{5}, 128, 7);
    ioring_prep_listen(&theirs_, 5, 128);
    expect_same(ours_);
}

}  // namespace
}  // namespace ioring
