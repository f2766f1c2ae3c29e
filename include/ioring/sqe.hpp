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
    nop = 0,               // prep_nop()
    readv = 1,             // Not prepared by this library.
    writev = 2,            // Likewise.
    read_fixed = 4,        // prep_read_fixed()
    write_fixed = 5,       // prep_write_fixed()
    poll_add = 6,          // prep_poll_add(), prep_poll_multishot()
    poll_remove = 7,       // prep_poll_remove(), prep_poll_update()
    sendmsg = 9,           // prep_sendmsg()
    recvmsg = 10,          // prep_recvmsg()
    timeout = 11,          // prep_timeout()
    timeout_remove = 12,   // prep_timeout_remove(), prep_timeout_update()
    accept = 13,           // prep_accept(), prep_accept_multishot()
    async_cancel = 14,     // prep_cancel() and its kin
    link_timeout = 15,     // prep_link_timeout()
    connect = 16,          // prep_connect()
    close = 19,            // prep_close()
    read = 22,             // Not prepared by this library.
    write = 23,            // Likewise.
    send = 26,             // prep_send(), prep_send_vectorized()
    recv = 27,             // prep_recv() and its kin
    provide_buffers = 31,  // Not prepared by this library, which uses buffer rings.
    remove_buffers = 32,   // Likewise.
    shutdown = 34,         // prep_shutdown()
    msg_ring = 40,         // prep_msg_ring()
    socket = 45,           // prep_socket()
    uring_cmd = 46,        // Not prepared by this library.
    send_zc = 47,          // prep_send_zc()
    sendmsg_zc = 48,       // Not prepared by this library.
    read_multishot = 49,   // Likewise.
    bind = 56,             // prep_bind()
    listen = 57,           // prep_listen()
};

// Bits of `sqe::flags`.
namespace sqe_flag {
inline constexpr std::uint8_t fixed_file = 1U << 0;     // `fd` is a slot of the file table.
inline constexpr std::uint8_t io_drain = 1U << 1;       // Starts when all before it completed.
inline constexpr std::uint8_t io_link = 1U << 2;        // The next starts when this succeeded.
inline constexpr std::uint8_t io_hardlink = 1U << 3;    // The next starts when this completed.
inline constexpr std::uint8_t async = 1U << 4;          // Goes to a worker thread without a try.
inline constexpr std::uint8_t buffer_select = 1U << 5;  // Takes its buffer from group `buf_index`.
inline constexpr std::uint8_t cqe_skip_success = 1U << 6;  // No CQE unless it fails.
}  // namespace sqe_flag

// Bits of `sqe::ioprio` for accept.
namespace accept_flag {
inline constexpr std::uint16_t multishot = 1U << 0;   // One CQE a connection until it ends.
inline constexpr std::uint16_t dont_wait = 1U << 1;   // -EAGAIN when nobody waits.
inline constexpr std::uint16_t poll_first = 1U << 2;  // Waits for readiness before the first try.
}  // namespace accept_flag

// Bits of `sqe::ioprio` for send, recv, sendmsg, recvmsg and their kin.
namespace transfer_flag {
inline constexpr std::uint16_t poll_first = 1U << 0;    // Waits for readiness before the first try.
inline constexpr std::uint16_t multishot = 1U << 1;     // recv: one CQE a chunk until it ends.
inline constexpr std::uint16_t fixed_buffer = 1U << 2;  // send_zc: in kernel buffer `buf_index`.
inline constexpr std::uint16_t zc_report_usage = 1U << 3;  // send_zc: was it copied?
inline constexpr std::uint16_t bundle = 1U << 4;  // One operation over several buffers of a group.
inline constexpr std::uint16_t send_vectorized = 1U << 5;  // send: `addr`, `len`: an iovec array.
}  // namespace transfer_flag

// Bits of `sqe::op_flags` for the socket transfers: Linux's MSG_* values on every system.
namespace msg_flag {
inline constexpr std::uint32_t peek = 0x02;   // recv: the bytes stay to be received.
inline constexpr std::uint32_t trunc = 0x20;  // recv: of a datagram, the result is all its bytes.
inline constexpr std::uint32_t dont_wait = 0x40;    // -EAGAIN instead of waiting.
inline constexpr std::uint32_t wait_all = 0x100;    // All bytes or an error or the end.
inline constexpr std::uint32_t no_signal = 0x4000;  // send: no SIGPIPE.
inline constexpr std::uint32_t more = 0x8000;       // send: more follows, let it go together.
}  // namespace msg_flag

// Bits of `sqe::op_flags` for accept, and of the type for socket: Linux's SOCK_* values.
namespace socket_flag {
inline constexpr std::uint32_t nonblock = 0x800;   // SOCK_NONBLOCK
inline constexpr std::uint32_t cloexec = 0x80000;  // SOCK_CLOEXEC
}  // namespace socket_flag

// Bits of `sqe::op_flags` for poll, and of its result: Linux's POLL* values.
namespace poll_event {
inline constexpr std::uint32_t in = 0x001;      // Something can be read, or the end of the stream.
inline constexpr std::uint32_t pri = 0x002;     // Urgent data.
inline constexpr std::uint32_t out = 0x004;     // Something can be written.
inline constexpr std::uint32_t err = 0x008;     // An error; told unasked.
inline constexpr std::uint32_t hup = 0x010;     // Both directions have ended; told unasked.
inline constexpr std::uint32_t nval = 0x020;    // No open descriptor; told unasked.
inline constexpr std::uint32_t rdhup = 0x2000;  // The peer has ended its side.
}  // namespace poll_event

// Bits of `sqe::len` for poll_add and poll_remove.
namespace poll_flag {
inline constexpr std::uint32_t multishot = 1U << 0;         // Goes on until it ends.
inline constexpr std::uint32_t update_events = 1U << 1;     // poll_remove: new events.
inline constexpr std::uint32_t update_user_data = 1U << 2;  // poll_remove: a new user_data.
inline constexpr std::uint32_t level = 1U << 3;             // Told while it lasts, not once.
}  // namespace poll_flag

// Bits of `sqe::op_flags` for timeout, link_timeout and timeout_remove.
namespace timeout_flag {
inline constexpr std::uint32_t absolute = 1U << 0;  // A point of time, not a span.
inline constexpr std::uint32_t update = 1U << 1;    // timeout_remove: a new time instead.
inline constexpr std::uint32_t boottime = 1U << 2;  // Of the clock that never stops.
inline constexpr std::uint32_t realtime = 1U << 3;  // Of the clock on the wall.
inline constexpr std::uint32_t link_timeout_update = 1U << 4;  // timeout_remove: of a link's timer.
inline constexpr std::uint32_t etime_success = 1U << 5;        // -ETIME does not break a link.
inline constexpr std::uint32_t multishot = 1U << 6;            // Fires again and again.
}  // namespace timeout_flag

// Bits of `sqe::op_flags` for async_cancel.
namespace cancel_flag {
inline constexpr std::uint32_t all = 1U << 0;       // Every match; the result is their count.
inline constexpr std::uint32_t by_fd = 1U << 1;     // Matches the descriptor, not the user_data.
inline constexpr std::uint32_t any = 1U << 2;       // Everything matches.
inline constexpr std::uint32_t fixed_fd = 1U << 3;  // The descriptor is a slot of the file table.
inline constexpr std::uint32_t by_user_data = 1U << 4;  // The user_data must match, too.
inline constexpr std::uint32_t by_opcode = 1U << 5;     // The opcode in `len` must match, too.
}  // namespace cancel_flag

// Values of `sqe::addr` and bits of `sqe::op_flags` for msg_ring.
namespace msg_ring_flag {
inline constexpr std::uint64_t command_data = 0;      // Posts two numbers.
inline constexpr std::uint64_t command_send_fd = 1;   // Hands a slot of the file table over.
inline constexpr std::uint32_t cqe_skip = 1U << 0;    // No CQE on the other ring.
inline constexpr std::uint32_t flags_pass = 1U << 1;  // `file_index` gives that CQE's flags.
}  // namespace msg_ring_flag

// How much of a connection `shutdown` ends: the same three numbers on every system.
enum class shutdown_how : std::uint32_t {
    read = 0,   // Nothing more will be received.
    write = 1,  // Nothing more will be sent: the peer sees an end of stream.
    both = 2,   // Both.
};

// What a program asks of a backend. Write it through `prep_*` (prep.hpp) or by hand.
struct sqe {
    opcode op = opcode::nop;   // What to do.
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
    std::uint16_t personality = 0;  // Linux: registered credentials; 0: the program's.
    // direct descriptor slot + 1; send: address length in the low half
    std::int32_t file_index = 0;
    // user-space kernels: 32-bit buffer id + 1, 0 for none
    std::uint64_t addr3 = 0;
    std::uint64_t reserved = 0;  // 0
};
static_assert(sizeof(sqe) == 64 && alignof(sqe) == 8);

// Bits of `cqe::flags`.
namespace cqe_flag {
inline constexpr std::uint32_t buffer = 1U << 0;         // The upper 16 bits are a buffer id.
inline constexpr std::uint32_t more = 1U << 1;           // More CQEs of this SQE will follow.
inline constexpr std::uint32_t sock_nonempty = 1U << 2;  // There was more to read (also at FIN).
inline constexpr std::uint32_t notification = 1U << 3;   // send_zc: the bytes are yours again.
inline constexpr std::uint32_t buffer_more = 1U << 4;  // The group buffer is only partly consumed.
inline constexpr std::uint32_t buffer_shift = 16;      // Where the buffer id begins.
}  // namespace cqe_flag

// What became of an SQE.
struct cqe {
    std::uint64_t user_data = 0;  // That of the SQE.
    std::int32_t res = 0;  // Bytes, a descriptor, a mask or a count; an error is the host's -errno.
    std::uint32_t flags = 0;  // cqe_flag

    // More CQEs of the same SQE will follow: the operation is still in flight.
    [[nodiscard]] constexpr bool more() const noexcept { return (flags & cqe_flag::more) != 0; }
    // buffer_id() means something.
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
    std::int64_t tv_sec = 0;   // Seconds, 0 or more.
    std::int64_t tv_nsec = 0;  // 0 to 999,999,999
};
static_assert(sizeof(kernel_timespec) == 16);

// The user_data that no program may use: the library's own entries carry it and are never shown.
inline constexpr std::uint64_t reserved_user_data = ~std::uint64_t{0};

// The most bytes one transfer moves, as in Linux (MAX_RW_COUNT); a longer span is cut to this,
// which the program sees as a short transfer.
inline constexpr std::size_t transfer_bytes_max = 0x7fff'f000;

}  // namespace ioring
