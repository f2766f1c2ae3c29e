// SPDX-License-Identifier: MIT
// entry_format_test.cpp - the entry format is the kernel's, field by field and number by number.
//
// Everything is asserted twice where it can be: against <linux/io_uring.h> when this system has one
// of Linux 6.1 or newer, and, for what such a header may lack, against the numbers of Linux 6.18's
// interface, written out.
#include <gtest/gtest.h>

#include <cstddef>
#include <type_traits>

#include "ioring/layout.hpp"
#include "ioring/sqe.hpp"

#if defined(__linux__) && __has_include(<linux/io_uring.h>)
#include <linux/io_uring.h>
#endif
#if defined(__linux__)
#include <linux/time_types.h>
#include <poll.h>
#include <sys/socket.h>
#endif

namespace ioring {
namespace {

// --- without any header: the layout ---

static_assert(sizeof(sqe) == 64);
static_assert(alignof(sqe) == 8);
static_assert(std::is_standard_layout_v<sqe> && std::is_trivially_copyable_v<sqe>);
static_assert(offsetof(sqe, op) == 0 && sizeof(sqe::op) == 1);
static_assert(offsetof(sqe, flags) == 1 && sizeof(sqe::flags) == 1);
static_assert(offsetof(sqe, ioprio) == 2 && sizeof(sqe::ioprio) == 2);
static_assert(offsetof(sqe, fd) == 4 && sizeof(sqe::fd) == 4);
static_assert(offsetof(sqe, off) == 8 && sizeof(sqe::off) == 8);
static_assert(offsetof(sqe, addr) == 16 && sizeof(sqe::addr) == 8);
static_assert(offsetof(sqe, len) == 24 && sizeof(sqe::len) == 4);
static_assert(offsetof(sqe, op_flags) == 28 && sizeof(sqe::op_flags) == 4);
static_assert(offsetof(sqe, user_data) == 32 && sizeof(sqe::user_data) == 8);
static_assert(offsetof(sqe, buf_index) == 40 && sizeof(sqe::buf_index) == 2);
static_assert(offsetof(sqe, personality) == 42 && sizeof(sqe::personality) == 2);
static_assert(offsetof(sqe, file_index) == 44 && sizeof(sqe::file_index) == 4);
static_assert(offsetof(sqe, addr3) == 48 && sizeof(sqe::addr3) == 8);
static_assert(offsetof(sqe, reserved) == 56 && sizeof(sqe::reserved) == 8);

static_assert(sizeof(cqe) == 16);
static_assert(alignof(cqe) == 8);
static_assert(std::is_standard_layout_v<cqe> && std::is_trivially_copyable_v<cqe>);
static_assert(offsetof(cqe, user_data) == 0 && sizeof(cqe::user_data) == 8);
static_assert(offsetof(cqe, res) == 8 && sizeof(cqe::res) == 4);
static_assert(offsetof(cqe, flags) == 12 && sizeof(cqe::flags) == 4);
static_assert(std::is_signed_v<decltype(cqe::res)> && std::is_unsigned_v<decltype(cqe::flags)>);

static_assert(sizeof(kernel_timespec) == 16);
static_assert(offsetof(kernel_timespec, tv_sec) == 0 && offsetof(kernel_timespec, tv_nsec) == 8);

constexpr int number_of(opcode op) { return static_cast<int>(op); }

// --- numbers that a header of 6.1 lacks: Linux 6.18's, written out ---

static_assert(number_of(opcode::read_multishot) == 49);         // 6.7
static_assert(number_of(opcode::bind) == 56);                   // 6.11
static_assert(number_of(opcode::listen) == 57);                 // 6.11
static_assert(accept_flag::dont_wait == 2);                     // 6.10
static_assert(accept_flag::poll_first == 4);                    // 6.10
static_assert(transfer_flag::bundle == 16);                     // 6.10
static_assert(transfer_flag::send_vectorized == 32);            // 6.17
static_assert(timeout_flag::multishot == 64);                   // 6.4
static_assert(msg_ring_flag::flags_pass == 2);                  // 6.3
static_assert(cqe_flag::buffer_more == 16);                     // 6.12
static_assert(reserved_user_data == 0xffff'ffff'ffff'ffffULL);  // Ours.
static_assert(transfer_bytes_max == 0x7fff'ffffU - 0xfffU);     // MAX_RW_COUNT, 4 KiB pages.

// --- against the header ---

// This macro came with 6.1; an older header is of no use here.
#if defined(IORING_SETUP_DEFER_TASKRUN)

static_assert(sizeof(sqe) == sizeof(io_uring_sqe) && alignof(sqe) == alignof(io_uring_sqe));
static_assert(offsetof(sqe, op) == offsetof(io_uring_sqe, opcode));
static_assert(offsetof(sqe, flags) == offsetof(io_uring_sqe, flags));
static_assert(offsetof(sqe, ioprio) == offsetof(io_uring_sqe, ioprio));
static_assert(offsetof(sqe, fd) == offsetof(io_uring_sqe, fd));
static_assert(offsetof(sqe, off) == offsetof(io_uring_sqe, off));
static_assert(offsetof(sqe, off) == offsetof(io_uring_sqe, addr2));
static_assert(offsetof(sqe, addr) == offsetof(io_uring_sqe, addr));
static_assert(offsetof(sqe, len) == offsetof(io_uring_sqe, len));
static_assert(offsetof(sqe, op_flags) == offsetof(io_uring_sqe, msg_flags));
static_assert(offsetof(sqe, op_flags) == offsetof(io_uring_sqe, poll32_events));
static_assert(offsetof(sqe, op_flags) == offsetof(io_uring_sqe, timeout_flags));
static_assert(offsetof(sqe, op_flags) == offsetof(io_uring_sqe, accept_flags));
static_assert(offsetof(sqe, op_flags) == offsetof(io_uring_sqe, cancel_flags));
static_assert(offsetof(sqe, op_flags) == offsetof(io_uring_sqe, msg_ring_flags));
static_assert(offsetof(sqe, user_data) == offsetof(io_uring_sqe, user_data));
static_assert(offsetof(sqe, buf_index) == offsetof(io_uring_sqe, buf_index));
static_assert(offsetof(sqe, buf_index) == offsetof(io_uring_sqe, buf_group));
static_assert(offsetof(sqe, personality) == offsetof(io_uring_sqe, personality));
static_assert(offsetof(sqe, file_index) == offsetof(io_uring_sqe, file_index));
static_assert(offsetof(sqe, file_index) == offsetof(io_uring_sqe, addr_len));
static_assert(offsetof(sqe, addr3) == offsetof(io_uring_sqe, addr3));
static_assert(std::is_same_v<decltype(sqe::fd), decltype(io_uring_sqe::fd)>);
static_assert(std::is_same_v<decltype(sqe::ioprio), decltype(io_uring_sqe::ioprio)>);

static_assert(sizeof(cqe) == sizeof(io_uring_cqe));
static_assert(offsetof(cqe, user_data) == offsetof(io_uring_cqe, user_data));
static_assert(offsetof(cqe, res) == offsetof(io_uring_cqe, res));
static_assert(offsetof(cqe, flags) == offsetof(io_uring_cqe, flags));

static_assert(number_of(opcode::nop) == IORING_OP_NOP);
static_assert(number_of(opcode::readv) == IORING_OP_READV);
static_assert(number_of(opcode::writev) == IORING_OP_WRITEV);
static_assert(number_of(opcode::read_fixed) == IORING_OP_READ_FIXED);
static_assert(number_of(opcode::write_fixed) == IORING_OP_WRITE_FIXED);
static_assert(number_of(opcode::poll_add) == IORING_OP_POLL_ADD);
static_assert(number_of(opcode::poll_remove) == IORING_OP_POLL_REMOVE);
static_assert(number_of(opcode::sendmsg) == IORING_OP_SENDMSG);
static_assert(number_of(opcode::recvmsg) == IORING_OP_RECVMSG);
static_assert(number_of(opcode::timeout) == IORING_OP_TIMEOUT);
static_assert(number_of(opcode::timeout_remove) == IORING_OP_TIMEOUT_REMOVE);
static_assert(number_of(opcode::accept) == IORING_OP_ACCEPT);
static_assert(number_of(opcode::async_cancel) == IORING_OP_ASYNC_CANCEL);
static_assert(number_of(opcode::link_timeout) == IORING_OP_LINK_TIMEOUT);
static_assert(number_of(opcode::connect) == IORING_OP_CONNECT);
static_assert(number_of(opcode::close) == IORING_OP_CLOSE);
static_assert(number_of(opcode::read) == IORING_OP_READ);
static_assert(number_of(opcode::write) == IORING_OP_WRITE);
static_assert(number_of(opcode::send) == IORING_OP_SEND);
static_assert(number_of(opcode::recv) == IORING_OP_RECV);
static_assert(number_of(opcode::provide_buffers) == IORING_OP_PROVIDE_BUFFERS);
static_assert(number_of(opcode::remove_buffers) == IORING_OP_REMOVE_BUFFERS);
static_assert(number_of(opcode::shutdown) == IORING_OP_SHUTDOWN);
static_assert(number_of(opcode::msg_ring) == IORING_OP_MSG_RING);
static_assert(number_of(opcode::socket) == IORING_OP_SOCKET);
static_assert(number_of(opcode::uring_cmd) == IORING_OP_URING_CMD);
static_assert(number_of(opcode::send_zc) == IORING_OP_SEND_ZC);
static_assert(number_of(opcode::sendmsg_zc) == IORING_OP_SENDMSG_ZC);

static_assert(sqe_flag::fixed_file == IOSQE_FIXED_FILE);
static_assert(sqe_flag::io_drain == IOSQE_IO_DRAIN);
static_assert(sqe_flag::io_link == IOSQE_IO_LINK);
static_assert(sqe_flag::io_hardlink == IOSQE_IO_HARDLINK);
static_assert(sqe_flag::async == IOSQE_ASYNC);
static_assert(sqe_flag::buffer_select == IOSQE_BUFFER_SELECT);
static_assert(sqe_flag::cqe_skip_success == IOSQE_CQE_SKIP_SUCCESS);

static_assert(accept_flag::multishot == IORING_ACCEPT_MULTISHOT);
static_assert(transfer_flag::poll_first == IORING_RECVSEND_POLL_FIRST);
static_assert(transfer_flag::multishot == IORING_RECV_MULTISHOT);
static_assert(transfer_flag::fixed_buffer == IORING_RECVSEND_FIXED_BUF);
static_assert(transfer_flag::zc_report_usage == IORING_SEND_ZC_REPORT_USAGE);

static_assert(poll_flag::multishot == IORING_POLL_ADD_MULTI);
static_assert(poll_flag::update_events == IORING_POLL_UPDATE_EVENTS);
static_assert(poll_flag::update_user_data == IORING_POLL_UPDATE_USER_DATA);
static_assert(poll_flag::level == IORING_POLL_ADD_LEVEL);

static_assert(timeout_flag::absolute == IORING_TIMEOUT_ABS);
static_assert(timeout_flag::update == IORING_TIMEOUT_UPDATE);
static_assert(timeout_flag::boottime == IORING_TIMEOUT_BOOTTIME);
static_assert(timeout_flag::realtime == IORING_TIMEOUT_REALTIME);
static_assert(timeout_flag::link_timeout_update == IORING_LINK_TIMEOUT_UPDATE);
static_assert(timeout_flag::etime_success == IORING_TIMEOUT_ETIME_SUCCESS);

static_assert(cancel_flag::all == IORING_ASYNC_CANCEL_ALL);
static_assert(cancel_flag::by_fd == IORING_ASYNC_CANCEL_FD);
static_assert(cancel_flag::any == IORING_ASYNC_CANCEL_ANY);
static_assert(cancel_flag::fixed_fd == IORING_ASYNC_CANCEL_FD_FIXED);
#if defined(IORING_ASYNC_CANCEL_USERDATA)
static_assert(cancel_flag::by_user_data == IORING_ASYNC_CANCEL_USERDATA);
static_assert(cancel_flag::by_opcode == IORING_ASYNC_CANCEL_OP);
#endif

static_assert(msg_ring_flag::command_data == IORING_MSG_DATA);
static_assert(msg_ring_flag::command_send_fd == IORING_MSG_SEND_FD);
static_assert(msg_ring_flag::cqe_skip == IORING_MSG_RING_CQE_SKIP);

static_assert(cqe_flag::buffer == IORING_CQE_F_BUFFER);
static_assert(cqe_flag::more == IORING_CQE_F_MORE);
static_assert(cqe_flag::sock_nonempty == IORING_CQE_F_SOCK_NONEMPTY);
static_assert(cqe_flag::notification == IORING_CQE_F_NOTIF);
static_assert(cqe_flag::buffer_shift == IORING_CQE_BUFFER_SHIFT);

static_assert(sq_flag::need_wakeup == IORING_SQ_NEED_WAKEUP);
static_assert(sq_flag::cq_overflow == IORING_SQ_CQ_OVERFLOW);
static_assert(sq_flag::taskrun == IORING_SQ_TASKRUN);

#endif

// What a newer header has beyond 6.1 is compared too where it is a macro.
#if defined(IORING_TIMEOUT_MULTISHOT)
static_assert(timeout_flag::multishot == IORING_TIMEOUT_MULTISHOT);
#endif
#if defined(IORING_MSG_RING_FLAGS_PASS)
static_assert(msg_ring_flag::flags_pass == IORING_MSG_RING_FLAGS_PASS);
#endif
#if defined(IORING_ACCEPT_DONTWAIT)
static_assert(accept_flag::dont_wait == IORING_ACCEPT_DONTWAIT);
static_assert(accept_flag::poll_first == IORING_ACCEPT_POLL_FIRST);
#endif
#if defined(IORING_RECVSEND_BUNDLE)
static_assert(transfer_flag::bundle == IORING_RECVSEND_BUNDLE);
#endif
#if defined(IORING_SEND_VECTORIZED)
static_assert(transfer_flag::send_vectorized == IORING_SEND_VECTORIZED);
#endif
#if defined(IORING_CQE_F_BUF_MORE)
static_assert(cqe_flag::buffer_more == IORING_CQE_F_BUF_MORE);
#endif

// --- the system's own numbers that entries carry ---

#if defined(__linux__)

static_assert(sizeof(kernel_timespec) == sizeof(__kernel_timespec));
static_assert(offsetof(kernel_timespec, tv_nsec) == offsetof(__kernel_timespec, tv_nsec));

static_assert(msg_flag::peek == MSG_PEEK);
static_assert(msg_flag::trunc == MSG_TRUNC);
static_assert(msg_flag::dont_wait == MSG_DONTWAIT);
static_assert(msg_flag::wait_all == MSG_WAITALL);
static_assert(msg_flag::no_signal == MSG_NOSIGNAL);
static_assert(msg_flag::more == MSG_MORE);

static_assert(socket_flag::nonblock == SOCK_NONBLOCK);
static_assert(socket_flag::cloexec == SOCK_CLOEXEC);

static_assert(poll_event::in == POLLIN);
static_assert(poll_event::pri == POLLPRI);
static_assert(poll_event::out == POLLOUT);
static_assert(poll_event::err == POLLERR);
static_assert(poll_event::hup == POLLHUP);
static_assert(poll_event::nval == POLLNVAL);
static_assert(poll_event::rdhup == 0x2000);  // POLLRDHUP, which only _GNU_SOURCE shows.

static_assert(static_cast<int>(shutdown_how::read) == SHUT_RD);
static_assert(static_cast<int>(shutdown_how::write) == SHUT_WR);
static_assert(static_cast<int>(shutdown_how::both) == SHUT_RDWR);

#endif

// --- behaviour ---

TEST(entry_format_test, a_new_entry_is_a_nop_on_no_descriptor) {
    const sqe entry;
    EXPECT_EQ(opcode::nop, entry.op);
    EXPECT_EQ(-1, entry.fd);
    EXPECT_EQ(0U, entry.flags);
    EXPECT_EQ(0U, entry.user_data);
}

TEST(entry_format_test, completion_flags_are_read_as_linux_writes_them) {
    const cqe last{.user_data = 1, .res = 2, .flags = 0};
    EXPECT_FALSE(last.more());
    EXPECT_FALSE(last.has_buffer());

    const cqe chunk{.user_data = 1, .res = 2, .flags = 0xabcd'0003};
    EXPECT_TRUE(chunk.more());
    EXPECT_TRUE(chunk.has_buffer());
    EXPECT_EQ(0xabcdU, chunk.buffer_id());

    const cqe nothing_but_neighbours{.user_data = 1, .res = 2, .flags = 0xffff'fffc};
    EXPECT_FALSE(nothing_but_neighbours.more());
    EXPECT_FALSE(nothing_but_neighbours.has_buffer());
}

}  // namespace
}  // namespace ioring
