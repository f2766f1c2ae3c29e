// SPDX-License-Identifier: MIT
// sqe.hpp - the entry format: what a program writes to a ring and what it reads back.
//
// The 64-byte submission queue entry (SQE) and the 16-byte completion queue entry (CQE) are laid
// out as Linux lays them out, on every system, and every number in this file is Linux's: src/base/
// entry_format_test.cpp asserts it field by field. The library carries its own constants because a
// distribution's headers are usually older than the kernel that runs under them.
//
// A field that the kernel declares as a union has one name here; its other meanings are listed
// beside it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ioring {

// What an SQE asks for. `ring::probe()` says which of them the backend honours; one it does not
// completes with -EINVAL.
enum class opcode : std::uint8_t {
    nop = 0,
    readv = 1,
    writev = 2,
    read_fixed = 4,
    write_fixed = 5,
    poll_add = 6,
    poll_remove = 7,
    sendmsg = 9,
    recvmsg = 10,
    timeout = 11,
    timeout_remove = 12,
    accept = 13,
    async_cancel = 14,
    link_timeout = 15,
    connect = 16,
    close = 19,
    read = 22,
    write = 23,
    send = 26,
    recv = 27,
    provide_buffers = 31,
    remove_buffers = 32,
    shutdown = 34,
    msg_ring = 40,
    socket = 45,
    uring_cmd = 46,
    send_zc = 47,
    sendmsg_zc = 48,
    read_multishot = 49,
    bind = 56,
    listen = 57,
};

// Bits of `sqe::flags`.
//   fixed_file        `fd` is a slot of the registered file table
//   io_drain          starts when everything before it has completed
//   io_link           the next SQE starts when this one succeeded
//   io_hardlink       the next SQE starts when this one completed
//   async             goes to a worker thread without a try
//   buffer_select     takes its buffer from group `buf_index`
//   cqe_skip_success  no CQE unless it fails
namespace sqe_flag {
inline constexpr std::uint8_t fixed_file = 1U << 0;
inline constexpr std::uint8_t io_drain = 1U << 1;
inline constexpr std::uint8_t io_link = 1U << 2;
inline constexpr std::uint8_t io_hardlink = 1U << 3;
inline constexpr std::uint8_t async = 1U << 4;
inline constexpr std::uint8_t buffer_select = 1U << 5;
inline constexpr std::uint8_t cqe_skip_success = 1U << 6;
}  // namespace sqe_flag

// Bits of `sqe::ioprio` for accept.
namespace accept_flag {
inline constexpr std::uint16_t multishot = 1U << 0;
inline constexpr std::uint16_t dont_wait = 1U << 1;
inline constexpr std::uint16_t poll_first = 1U << 2;
}  // namespace accept_flag

// Bits of `sqe::ioprio` for send, recv, sendmsg, recvmsg and their kin.
//   poll_first        waits for readiness before the first try
//   multishot         recv: one CQE a chunk until it ends
//   fixed_buffer      send_zc: `buf_index` names a kernel buffer
//   zc_report_usage   send_zc: the notification says whether it copied
//   bundle            one operation over several buffers of a group
//   send_vectorized   send: `addr` is an iovec array, `len` their count (Linux 6.17)
namespace transfer_flag {
inline constexpr std::uint16_t poll_first = 1U << 0;
inline constexpr std::uint16_t multishot = 1U << 1;
inline constexpr std::uint16_t fixed_buffer = 1U << 2;
inline constexpr std::uint16_t zc_report_usage = 1U << 3;
inline constexpr std::uint16_t bundle = 1U << 4;
inline constexpr std::uint16_t send_vectorized = 1U << 5;
}  // namespace transfer_flag

// Bits of `sqe::op_flags` for the socket transfers: Linux's MSG_* values on every system.
namespace msg_flag {
inline constexpr std::uint32_t peek = 0x02;
inline constexpr std::uint32_t trunc = 0x20;
inline constexpr std::uint32_t dont_wait = 0x40;
inline constexpr std::uint32_t wait_all = 0x100;
inline constexpr std::uint32_t no_signal = 0x4000;
inline constexpr std::uint32_t more = 0x8000;
}  // namespace msg_flag

// Bits of `sqe::op_flags` for accept, and of the type for socket: Linux's SOCK_* values.
namespace socket_flag {
inline constexpr std::uint32_t nonblock = 0x800;
inline constexpr std::uint32_t cloexec = 0x80000;
}  // namespace socket_flag

// Bits of `sqe::op_flags` for poll, and of its result: Linux's POLL* values.
namespace poll_event {
inline constexpr std::uint32_t in = 0x001;
inline constexpr std::uint32_t pri = 0x002;
inline constexpr std::uint32_t out = 0x004;
inline constexpr std::uint32_t err = 0x008;
inline constexpr std::uint32_t hup = 0x010;
inline constexpr std::uint32_t nval = 0x020;
inline constexpr std::uint32_t rdhup = 0x2000;
}  // namespace poll_event

// Bits of `sqe::len` for poll_add and poll_remove.
namespace poll_flag {
inline constexpr std::uint32_t multishot = 1U << 0;
inline constexpr std::uint32_t update_events = 1U << 1;
inline constexpr std::uint32_t update_user_data = 1U << 2;
inline constexpr std::uint32_t level = 1U << 3;
}  // namespace poll_flag

// Bits of `sqe::op_flags` for timeout, link_timeout and timeout_remove.
namespace timeout_flag {
inline constexpr std::uint32_t absolute = 1U << 0;
inline constexpr std::uint32_t update = 1U << 1;
inline constexpr std::uint32_t boottime = 1U << 2;
inline constexpr std::uint32_t realtime = 1U << 3;
inline constexpr std::uint32_t link_timeout_update = 1U << 4;
inline constexpr std::uint32_t etime_success = 1U << 5;  // -ETIME does not break a link.
inline constexpr std::uint32_t multishot = 1U << 6;
}  // namespace timeout_flag

// Bits of `sqe::op_flags` for async_cancel.
namespace cancel_flag {
inline constexpr std::uint32_t all = 1U << 0;  // Every match; the result is their count.
inline constexpr std::uint32_t by_fd = 1U << 1;
inline constexpr std::uint32_t any = 1U << 2;  // Everything matches.
inline constexpr std::uint32_t fixed_fd = 1U << 3;
inline constexpr std::uint32_t by_user_data = 1U << 4;
inline constexpr std::uint32_t by_opcode = 1U << 5;
}  // namespace cancel_flag

// Values of `sqe::addr` and bits of `sqe::op_flags` for msg_ring.
namespace msg_ring_flag {
inline constexpr std::uint64_t command_data = 0;
inline constexpr std::uint64_t command_send_fd = 1;
inline constexpr std::uint32_t cqe_skip = 1U << 0;
inline constexpr std::uint32_t flags_pass = 1U << 1;
}  // namespace msg_ring_flag

// How much of a connection `shutdown` ends: the same three numbers on every system.
enum class shutdown_how : std::uint32_t { read = 0, write = 1, both = 2 };

// What a program asks of a backend. Write it through `prep_*` (prep.hpp) or by hand.
struct sqe {
    opcode op = opcode::nop;
    std::uint8_t flags = 0;    // sqe_flag
    std::uint16_t ioprio = 0;  // accept_flag or transfer_flag
    // ioring::fd::value; socket: the domain
    std::int32_t fd = -1;
    // file offset; accept: address length pointer; connect, bind: address size
    std::uint64_t off = 0;
    // buffer, sockaddr, msghdr or timespec; cancel: the target's user_data
    std::uint64_t addr = 0;
    // bytes; poll: poll_flag; timeout: 1; listen: backlog
    std::uint32_t len = 0;
    // msg_flag, poll_event, timeout_flag, cancel_flag or socket_flag
    std::uint32_t op_flags = 0;
    // comes back in the CQE; ~0 is reserved for the library
    std::uint64_t user_data = 0;
    // kernel buffer slot, or buffer group id with buffer_select
    std::uint16_t buf_index = 0;
    std::uint16_t personality = 0;
    // direct descriptor slot + 1; send: address length in the low half
    std::int32_t file_index = 0;
    // user-space kernels: 32-bit buffer id + 1, 0 for none
    std::uint64_t addr3 = 0;
    std::uint64_t reserved = 0;
};
static_assert(sizeof(sqe) == 64 && alignof(sqe) == 8);

// Bits of `cqe::flags`.
//   buffer         the upper 16 bits are a buffer id
//   more           more CQEs of this SQE will follow
//   sock_nonempty  there was more to read (also at FIN)
//   notification   send_zc: the buffer is the program's again
//   buffer_more    the group buffer is only partly consumed
namespace cqe_flag {
inline constexpr std::uint32_t buffer = 1U << 0;
inline constexpr std::uint32_t more = 1U << 1;
inline constexpr std::uint32_t sock_nonempty = 1U << 2;
inline constexpr std::uint32_t notification = 1U << 3;
inline constexpr std::uint32_t buffer_more = 1U << 4;
inline constexpr std::uint32_t buffer_shift = 16;
}  // namespace cqe_flag

// What became of an SQE.
struct cqe {
    std::uint64_t user_data = 0;
    std::int32_t res = 0;  // Bytes, a descriptor, a mask or a count; an error is the host's -errno.
    std::uint32_t flags = 0;

    // More CQEs of the same SQE will follow: the operation is still in flight.
    [[nodiscard]] constexpr bool more() const noexcept { return (flags & cqe_flag::more) != 0; }
    [[nodiscard]] constexpr bool has_buffer() const noexcept {
        return (flags & cqe_flag::buffer) != 0;
    }
    // The id of the group buffer that holds the bytes; only when has_buffer().
    [[nodiscard]] constexpr std::uint16_t buffer_id() const noexcept {
        return static_cast<std::uint16_t>(flags >> cqe_flag::buffer_shift);
    }
};
static_assert(sizeof(cqe) == 16 && alignof(cqe) == 8);

// The kernel's 64-bit time: seconds and nanoseconds, on every system.
struct kernel_timespec {
    std::int64_t tv_sec = 0;
    std::int64_t tv_nsec = 0;  // 0 to 999,999,999
};
static_assert(sizeof(kernel_timespec) == 16);

// The user_data that no program may use: the library's own entries carry it and are never shown.
inline constexpr std::uint64_t reserved_user_data = ~std::uint64_t{0};

// The most bytes one transfer moves, as in Linux (MAX_RW_COUNT); a longer span is cut to this,
// which the program sees as a short transfer.
inline constexpr std::size_t transfer_bytes_max = 0x7fff'f000;

}  // namespace ioring
