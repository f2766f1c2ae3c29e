// SPDX-License-Identifier: MIT
// entry_twins.cpp - the inline functions of ioring.h as functions of the library, and a proof that
// its entries are ours.
//
// Callers that cannot compile the header, and C compilers that choose not to inline, call these.
#if defined(__GNUC__)
#define IORING_INLINE inline __attribute__((used))
#else
#define IORING_INLINE inline
#endif
#include "ioring/ioring.h"

#include <cstddef>

#include "ioring/sqe.hpp"

namespace {

using ioring::cqe;
using ioring::sqe;

// NOLINTBEGIN(misc-redundant-expression): that both sides are the same is what is asked.
static_assert(sizeof(ioring_sqe) == sizeof(sqe) && alignof(ioring_sqe) == alignof(sqe));
static_assert(sizeof(ioring_cqe) == sizeof(cqe) && alignof(ioring_cqe) == alignof(cqe));
// NOLINTEND(misc-redundant-expression)
static_assert(sizeof(ioring_timespec) == sizeof(ioring::kernel_timespec));

static_assert(offsetof(ioring_sqe, opcode) == offsetof(sqe, op));
static_assert(offsetof(ioring_sqe, flags) == offsetof(sqe, flags));
static_assert(offsetof(ioring_sqe, ioprio) == offsetof(sqe, ioprio));
static_assert(offsetof(ioring_sqe, fd) == offsetof(sqe, fd));
static_assert(offsetof(ioring_sqe, off) == offsetof(sqe, off));
static_assert(offsetof(ioring_sqe, addr) == offsetof(sqe, addr));
static_assert(offsetof(ioring_sqe, len) == offsetof(sqe, len));
static_assert(offsetof(ioring_sqe, op_flags) == offsetof(sqe, op_flags));
static_assert(offsetof(ioring_sqe, user_data) == offsetof(sqe, user_data));
static_assert(offsetof(ioring_sqe, buf_index) == offsetof(sqe, buf_index));
static_assert(offsetof(ioring_sqe, personality) == offsetof(sqe, personality));
static_assert(offsetof(ioring_sqe, file_index) == offsetof(sqe, file_index));
static_assert(offsetof(ioring_sqe, addr3) == offsetof(sqe, addr3));
static_assert(offsetof(ioring_cqe, user_data) == offsetof(cqe, user_data));
static_assert(offsetof(ioring_cqe, res) == offsetof(cqe, res));
static_assert(offsetof(ioring_cqe, flags) == offsetof(cqe, flags));

constexpr bool is(int value, ioring::opcode op) noexcept { return value == static_cast<int>(op); }

static_assert(is(IOR_OP_NOP, ioring::opcode::nop));
static_assert(is(IOR_OP_READ_FIXED, ioring::opcode::read_fixed));
static_assert(is(IOR_OP_WRITE_FIXED, ioring::opcode::write_fixed));
static_assert(is(IOR_OP_POLL_ADD, ioring::opcode::poll_add));
static_assert(is(IOR_OP_POLL_REMOVE, ioring::opcode::poll_remove));
static_assert(is(IOR_OP_SENDMSG, ioring::opcode::sendmsg));
static_assert(is(IOR_OP_RECVMSG, ioring::opcode::recvmsg));
static_assert(is(IOR_OP_TIMEOUT, ioring::opcode::timeout));
static_assert(is(IOR_OP_TIMEOUT_REMOVE, ioring::opcode::timeout_remove));
static_assert(is(IOR_OP_ACCEPT, ioring::opcode::accept));
static_assert(is(IOR_OP_ASYNC_CANCEL, ioring::opcode::async_cancel));
static_assert(is(IOR_OP_LINK_TIMEOUT, ioring::opcode::link_timeout));
static_assert(is(IOR_OP_CONNECT, ioring::opcode::connect));
static_assert(is(IOR_OP_CLOSE, ioring::opcode::close));
static_assert(is(IOR_OP_SEND, ioring::opcode::send));
static_assert(is(IOR_OP_RECV, ioring::opcode::recv));
static_assert(is(IOR_OP_SHUTDOWN, ioring::opcode::shutdown));
static_assert(is(IOR_OP_MSG_RING, ioring::opcode::msg_ring));
static_assert(is(IOR_OP_SOCKET, ioring::opcode::socket));
static_assert(is(IOR_OP_SEND_ZC, ioring::opcode::send_zc));
static_assert(is(IOR_OP_BIND, ioring::opcode::bind));
static_assert(is(IOR_OP_LISTEN, ioring::opcode::listen));

namespace flags = ioring::sqe_flag;
static_assert(IOR_SQE_FIXED_FILE == flags::fixed_file && IOR_SQE_IO_DRAIN == flags::io_drain);
static_assert(IOR_SQE_IO_LINK == flags::io_link && IOR_SQE_IO_HARDLINK == flags::io_hardlink);
static_assert(IOR_SQE_ASYNC == flags::async && IOR_SQE_BUFFER_SELECT == flags::buffer_select);
static_assert(IOR_SQE_CQE_SKIP_SUCCESS == flags::cqe_skip_success);

namespace accepts = ioring::accept_flag;
static_assert(IOR_ACCEPT_MULTISHOT == accepts::multishot &&
              IOR_ACCEPT_DONT_WAIT == accepts::dont_wait &&
              IOR_ACCEPT_POLL_FIRST == accepts::poll_first);

namespace transfers = ioring::transfer_flag;
static_assert(IOR_TRANSFER_POLL_FIRST == transfers::poll_first);
static_assert(IOR_TRANSFER_MULTISHOT == transfers::multishot);
static_assert(IOR_TRANSFER_FIXED_BUFFER == transfers::fixed_buffer);
static_assert(IOR_TRANSFER_ZC_REPORT_USAGE == transfers::zc_report_usage);
static_assert(IOR_TRANSFER_BUNDLE == transfers::bundle);
static_assert(IOR_TRANSFER_SEND_VECTORIZED == transfers::send_vectorized);

namespace messages = ioring::msg_flag;
static_assert(IOR_MSG_PEEK == messages::peek && IOR_MSG_TRUNC == messages::trunc);
static_assert(IOR_MSG_DONT_WAIT == messages::dont_wait && IOR_MSG_WAIT_ALL == messages::wait_all);
static_assert(IOR_MSG_NO_SIGNAL == messages::no_signal && IOR_MSG_MORE == messages::more);
static_assert(IOR_SOCKET_NONBLOCK == ioring::socket_flag::nonblock);
static_assert(IOR_SOCKET_CLOEXEC == ioring::socket_flag::cloexec);

namespace events = ioring::poll_event;
static_assert(IOR_POLL_IN == events::in && IOR_POLL_PRI == events::pri);
static_assert(IOR_POLL_OUT == events::out && IOR_POLL_ERR == events::err);
static_assert(IOR_POLL_HUP == events::hup && IOR_POLL_NVAL == events::nval);
static_assert(IOR_POLL_RDHUP == events::rdhup);
namespace polls = ioring::poll_flag;
static_assert(IOR_POLL_MULTISHOT == polls::multishot && IOR_POLL_LEVEL == polls::level);
static_assert(IOR_POLL_UPDATE_EVENTS == polls::update_events);
static_assert(IOR_POLL_UPDATE_USER_DATA == polls::update_user_data);

namespace timeouts = ioring::timeout_flag;
static_assert(IOR_TIMEOUT_ABSOLUTE == timeouts::absolute && IOR_TIMEOUT_UPDATE == timeouts::update);
static_assert(IOR_TIMEOUT_BOOTTIME == timeouts::boottime);
static_assert(IOR_TIMEOUT_REALTIME == timeouts::realtime);
static_assert(IOR_TIMEOUT_LINK_UPDATE == timeouts::link_timeout_update);
static_assert(IOR_TIMEOUT_ETIME_SUCCESS == timeouts::etime_success);
static_assert(IOR_TIMEOUT_MULTISHOT == timeouts::multishot);

namespace cancels = ioring::cancel_flag;
static_assert(IOR_CANCEL_ALL == cancels::all && IOR_CANCEL_FD == cancels::by_fd);
static_assert(IOR_CANCEL_ANY == cancels::any && IOR_CANCEL_FIXED_FD == cancels::fixed_fd);
static_assert(IOR_CANCEL_USER_DATA == cancels::by_user_data);
static_assert(IOR_CANCEL_OPCODE == cancels::by_opcode);
static_assert(IOR_MSG_RING_CQE_SKIP == ioring::msg_ring_flag::cqe_skip);
static_assert(IOR_MSG_RING_FLAGS_PASS == ioring::msg_ring_flag::flags_pass);

namespace done = ioring::cqe_flag;
static_assert(IOR_CQE_BUFFER == done::buffer && IOR_CQE_MORE == done::more);
static_assert(IOR_CQE_SOCK_NONEMPTY == done::sock_nonempty);
static_assert(IOR_CQE_NOTIFICATION == done::notification);
static_assert(IOR_CQE_BUFFER_MORE == done::buffer_more);
static_assert(IOR_CQE_BUFFER_SHIFT == done::buffer_shift);
static_assert(IORING_TRANSFER_BYTES_MAX == ioring::transfer_bytes_max);

}  // namespace
