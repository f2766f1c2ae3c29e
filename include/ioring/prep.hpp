// SPDX-License-Identifier: MIT
// prep.hpp - inline functions that fill an SQE, one for each operation.
//
// Each writes the whole entry, so that what the entry held before does not matter. None of them
// fails, allocates or calls the system; a wrong argument shows as the error of the completion. What
// an SQE points at (bytes, sockaddr, msghdr, iovec, timespec; message.hpp has those that Windows
// lacks) belongs to the operation until its CQE has been read. `user_data` is the last argument
// everywhere and comes back in the CQE; ~0 is reserved. docs/contract.md says what each promises.
//
// Modifiers (link, buffer select, skip-success ...) are or-ed into `sqe::flags` afterwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ioring/fd.hpp"
#include "ioring/sqe.hpp"

struct iovec;
struct msghdr;
struct sockaddr;

namespace ioring {
namespace detail {

[[nodiscard]] inline std::uint64_t address_of(const volatile void* pointer) noexcept {
    return static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(pointer));
}

[[nodiscard]] constexpr std::uint32_t transfer_bytes(std::size_t bytes) noexcept {
    return static_cast<std::uint32_t>(bytes < transfer_bytes_max ? bytes : transfer_bytes_max);
}

}  // namespace detail

// Completes with 0 at once.
inline void prep_nop(sqe& entry, std::uint64_t user_data) noexcept {
    entry = sqe{.op = opcode::nop, .user_data = user_data};
}

// Accepts one connection: the result is its descriptor. `address`, when given, receives the peer's
// address at completion; `*address_bytes` is its capacity before and its size after. Accepted
// descriptors are close-on-exec by default.
inline void prep_accept(sqe& entry, fd listener, ::sockaddr* address, std::uint32_t* address_bytes,
                        std::uint32_t socket_flags, std::uint64_t user_data) noexcept {
    entry = sqe{.op = opcode::accept,
                .fd = listener.value,
                .off = detail::address_of(address_bytes),
                .addr = detail::address_of(address),
                .op_flags = socket_flags,
                .user_data = user_data};
}

// One CQE a connection until one comes without `more`: then prepare it again (after a pause when
// the error is -EMFILE or -ENFILE; the connection stays in the backlog).
inline void prep_accept_multishot(sqe& entry, fd listener, std::uint32_t socket_flags,
                                  std::uint64_t user_data) noexcept {
    entry = sqe{.op = opcode::accept,
                .ioprio = accept_flag::multishot,
                .fd = listener.value,
                .op_flags = socket_flags,
                .user_data = user_data};
}

// Connects a stream socket: 0, or the error of connect(2). `address` is read when the operation
// starts.
inline void prep_connect(sqe& entry, fd socket, const ::sockaddr* address,
                         std::uint32_t address_bytes, std::uint64_t user_data) noexcept {
    entry = sqe{.op = opcode::connect,
                .fd = socket.value,
                .off = address_bytes,
                .addr = detail::address_of(address),
                .user_data = user_data};
}

// The result is the bytes received, 0 at end of stream. An empty `buffer` completes with 0 as
// well once data arrives: never receive into a full buffer.
inline void prep_recv(sqe& entry, fd socket, std::span<std::byte> buffer, std::uint32_t msg_flags,
                      std::uint64_t user_data) noexcept {
    entry = sqe{.op = opcode::recv,
                .fd = socket.value,
                .addr = detail::address_of(buffer.data()),
                .len = detail::transfer_bytes(buffer.size()),
                .op_flags = msg_flags,
                .user_data = user_data};
}

// Receives into a buffer that the backend takes from group `buffer_group` (buffer_group.hpp); the
// CQE names it. `bytes_max` of 0 means the whole buffer. An empty group completes with -ENOBUFS, no
// byte is lost. With msg_flag::wait_all it keeps the buffer until that is full: not for incremental
// groups.
inline void prep_recv_select(sqe& entry, fd socket, std::uint16_t buffer_group,
                             std::uint32_t bytes_max, std::uint32_t msg_flags,
                             std::uint64_t user_data) noexcept {
    entry = sqe{.op = opcode::recv,
                .flags = sqe_flag::buffer_select,
                .fd = socket.value,
                .len = bytes_max,
                .op_flags = msg_flags,
                .user_data = user_data,
                .buf_index = buffer_group};
}

// As prep_recv_select, one CQE a chunk until one comes without `more` (end of stream, an error, no
// buffer, or a full completion queue): then prepare it again, unless the stream has ended.
inline void prep_recv_multishot(sqe& entry, fd socket, std::uint16_t buffer_group,
                                std::uint32_t msg_flags, std::uint64_t user_data) noexcept {
    prep_recv_select(entry, socket, buffer_group, /*bytes_max=*/0, msg_flags, user_data);
    entry.ioprio = transfer_flag::multishot;
}

// The result is the bytes sent. With msg_flag::wait_all only an error, a shutdown or a cancel makes
// it short. A send never raises SIGPIPE.
inline void prep_send(sqe& entry, fd socket, std::span<const std::byte> bytes,
                      std::uint32_t msg_flags, std::uint64_t user_data) noexcept {
    entry = sqe{.op = opcode::send,
                .fd = socket.value,
                .addr = detail::address_of(bytes.data()),
                .len = detail::transfer_bytes(bytes.size()),
                .op_flags = msg_flags,
                .user_data = user_data};
}

// Sends `count` pieces in order as one operation. On io_uring from Linux 6.17 (probe:
// feature::send_vectorized); prep_sendmsg does the same everywhere.
inline void prep_send_vectorized(sqe& entry, fd socket, const ::iovec* pieces, std::uint32_t count,
                                 std::uint32_t msg_flags, std::uint64_t user_data) noexcept {
    entry = sqe{.op = opcode::send,
                .ioprio = transfer_flag::send_vectorized,
                .fd = socket.value,
                .addr = detail::address_of(pieces),
                .len = count,
                .op_flags = msg_flags,
                .user_data = user_data};
}

// Posts two CQEs: the result, with `more`, and a notification when the bytes may be written again.
// If the result comes without `more`, no notification follows. Linux copies all the same on
// loopback, and user-space kernels always.
inline void prep_send_zc(sqe& entry, fd socket, std::span<const std::byte> bytes,
                         std::uint32_t msg_flags, std::uint16_t zc_flags,
                         std::uint64_t user_data) noexcept {
    prep_send(entry, socket, bytes, msg_flags, user_data);
    entry.op = opcode::send_zc;
    entry.ioprio = zc_flags;
}

// Sends the pieces of `*message` (the system's msghdr), in order, as one operation: to its address
// where it has one. The result is as that of prep_send().
inline void prep_sendmsg(sqe& entry, fd socket, const ::msghdr* message, std::uint32_t msg_flags,
                         std::uint64_t user_data) noexcept {
    entry = sqe{.op = opcode::sendmsg,
                .fd = socket.value,
                .addr = detail::address_of(message),
                .len = 1,
                .op_flags = msg_flags,
                .user_data = user_data};
}

// Receives into the pieces of `*message`, in order; its address, flags and control bytes are
// written at completion. The result is as that of prep_recv().
inline void prep_recvmsg(sqe& entry, fd socket, ::msghdr* message, std::uint32_t msg_flags,
                         std::uint64_t user_data) noexcept {
    prep_sendmsg(entry, socket, message, msg_flags, user_data);
    entry.op = opcode::recvmsg;
}

// One CQE a datagram, each in a buffer of a group with its sender in front of it
// (received_message.hpp), until one comes without `more`: as prep_recv_multishot(), and an empty
// datagram is the last one, too. `pattern` says how much room names and ancillary data have; its
// pieces are not used. Linux 6.0; -EINVAL where the backend has none.
inline void prep_recvmsg_multishot(sqe& entry, fd socket, const ::msghdr* pattern,
                                   std::uint16_t buffer_group, std::uint32_t msg_flags,
                                   std::uint64_t user_data) noexcept {
    prep_sendmsg(entry, socket, pattern, msg_flags, user_data);
    entry.op = opcode::recvmsg;
    entry.flags = sqe_flag::buffer_select;
    entry.ioprio = transfer_flag::multishot;
    entry.buf_index = buffer_group;
}

// Reads at `offset` (0 or ~0 for a socket) into kernel buffer `buffer_slot`; `buffer` must lie
// within it.
inline void prep_read_fixed(sqe& entry, fd file, std::span<std::byte> buffer, std::uint64_t offset,
                            std::uint16_t buffer_slot, std::uint64_t user_data) noexcept {
    entry = sqe{.op = opcode::read_fixed,
                .fd = file.value,
                .off = offset,
                .addr = detail::address_of(buffer.data()),
                .len = detail::transfer_bytes(buffer.size()),
                .user_data = user_data,
                .buf_index = buffer_slot};
}

// As prep_read_fixed. On a socket whose peer is gone io_uring raises SIGPIPE: prefer prep_send
// there.
inline void prep_write_fixed(sqe& entry, fd file, std::span<const std::byte> bytes,
                             std::uint64_t offset, std::uint16_t buffer_slot,
                             std::uint64_t user_data) noexcept {
    entry = sqe{.op = opcode::write_fixed,
                .fd = file.value,
                .off = offset,
                .addr = detail::address_of(bytes.data()),
                .len = detail::transfer_bytes(bytes.size()),
                .user_data = user_data,
                .buf_index = buffer_slot};
}

// On io_uring this always goes to a worker thread; ring::shutdown_now() costs a tenth.
inline void prep_shutdown(sqe& entry, fd socket, shutdown_how how,
                          std::uint64_t user_data) noexcept {
    entry = sqe{.op = opcode::shutdown,
                .fd = socket.value,
                .len = static_cast<std::uint32_t>(how),
                .user_data = user_data};
}

// Closes the descriptor and nothing else. On io_uring an operation in flight on it stays in flight,
// and no FIN is sent; user-space kernels cancel it. ring::prepare_close() cancels first everywhere.
inline void prep_close(sqe& entry, fd file, std::uint64_t user_data) noexcept {
    entry = sqe{.op = opcode::close, .fd = file.value, .user_data = user_data};
}

// Cancels the first operation in flight that carries `target`. Results: 0, -ENOENT (none),
// -EALREADY (it is running and ends with its own result). The target always posts its own CQE too.
inline void prep_cancel(sqe& entry, std::uint64_t target, std::uint32_t cancel_flags,
                        std::uint64_t user_data) noexcept {
    entry = sqe{.op = opcode::async_cancel,
                .addr = target,
                .op_flags = cancel_flags,
                .user_data = user_data};
}

// Cancels by descriptor: with cancel_flag::all every one, and the result is their count. The kernel
// looks at every armed operation of the ring to find them.
inline void prep_cancel_fd(sqe& entry, fd file, std::uint32_t cancel_flags,
                           std::uint64_t user_data) noexcept {
    entry = sqe{.op = opcode::async_cancel,
                .fd = file.value,
                .op_flags = cancel_flags | cancel_flag::by_fd,
                .user_data = user_data};
}

// Cancels everything in flight on this ring; the result is the count, in which io_uring includes an
// operation of the library's own.
inline void prep_cancel_everything(sqe& entry, std::uint64_t user_data) noexcept {
    prep_cancel(entry, /*target=*/0, cancel_flag::any | cancel_flag::all, user_data);
}

// Completes with the events that are there as a mask, once.
inline void prep_poll_add(sqe& entry, fd file, std::uint32_t events,
                          std::uint64_t user_data) noexcept {
    entry =
        sqe{.op = opcode::poll_add, .fd = file.value, .op_flags = events, .user_data = user_data};
}

// At least one CQE each time an event appears that was not there, until one comes without `more`.
// The same event may be told more than once.
inline void prep_poll_multishot(sqe& entry, fd file, std::uint32_t events,
                                std::uint64_t user_data) noexcept {
    prep_poll_add(entry, file, events, user_data);
    entry.len = poll_flag::multishot;
}

// Changes the poll that carries `target`: what `flags` (poll_flag::update_events,
// update_user_data) names, and nothing else; a multishot one stays so. Results: 0, -ENOENT,
// -EALREADY.
inline void prep_poll_update(sqe& entry, std::uint64_t target, std::uint64_t new_user_data,
                             std::uint32_t events, std::uint32_t flags,
                             std::uint64_t user_data) noexcept {
    entry = sqe{.op = opcode::poll_remove,
                .off = new_user_data,
                .addr = target,
                .len = flags,
                .op_flags = events,
                .user_data = user_data};
}

// Ends the poll that carries `target` (it completes with -ECANCELED). Results: 0, -ENOENT,
// -EALREADY.
inline void prep_poll_remove(sqe& entry, std::uint64_t target, std::uint64_t user_data) noexcept {
    entry = sqe{.op = opcode::poll_remove, .addr = target, .user_data = user_data};
}

// Completes with -ETIME after `*time` (timeout_flag::absolute: at that time of the monotonic
// clock), or with 0 as soon as `completions` other operations have posted completions; 0 means time
// alone. With timeout_flag::multishot it fires `completions` times (0: for ever).
inline void prep_timeout(sqe& entry, const kernel_timespec* time, std::uint32_t completions,
                         std::uint32_t timeout_flags, std::uint64_t user_data) noexcept {
    entry = sqe{.op = opcode::timeout,
                .off = completions,
                .addr = detail::address_of(time),
                .len = 1,
                .op_flags = timeout_flags,
                .user_data = user_data};
}

// Gives the timeout that carries `target` a new time; a count of completions is dropped. Results:
// 0, -ENOENT, -EALREADY. For the timer of a link add timeout_flag::link_timeout_update.
inline void prep_timeout_update(sqe& entry, const kernel_timespec* time, std::uint64_t target,
                                std::uint32_t timeout_flags, std::uint64_t user_data) noexcept {
    entry = sqe{.op = opcode::timeout_remove,
                .off = detail::address_of(time),
                .addr = target,
                .op_flags = timeout_flags | timeout_flag::update,
                .user_data = user_data};
}

// Ends the timeout that carries `target` (it completes with -ECANCELED). Results: 0, -ENOENT,
// -EALREADY.
inline void prep_timeout_remove(sqe& entry, std::uint64_t target,
                                std::uint64_t user_data) noexcept {
    entry = sqe{.op = opcode::timeout_remove, .addr = target, .user_data = user_data};
}

// Bounds the operation before it, which must carry sqe_flag::io_link. Both complete: the operation
// with -ECANCELED (or its byte count, if part had moved) and this with -ETIME, or the operation
// with its result and this with -ECANCELED.
inline void prep_link_timeout(sqe& entry, const kernel_timespec* time, std::uint32_t timeout_flags,
                              std::uint64_t user_data) noexcept {
    entry = sqe{.op = opcode::link_timeout,
                .addr = detail::address_of(time),
                .len = 1,
                .op_flags = timeout_flags,
                .user_data = user_data};
}

// Posts a CQE {target_user_data, res} on the ring whose descriptor is `target`, and completes with
// 0 here. That ring must have had its first submit or wait.
inline void prep_msg_ring(sqe& entry, fd target, std::int32_t res, std::uint64_t target_user_data,
                          std::uint32_t msg_ring_flags, std::uint64_t user_data) noexcept {
    entry = sqe{.op = opcode::msg_ring,
                .fd = target.value,
                .off = target_user_data,
                .addr = msg_ring_flag::command_data,
                .len = static_cast<std::uint32_t>(res),
                .op_flags = msg_ring_flags,
                .user_data = user_data};
}

// The result is a new socket's descriptor. `domain`, `type` and `protocol` are the host's numbers;
// add socket_flag::cloexec and socket_flag::nonblock to the type.
inline void prep_socket(sqe& entry, std::int32_t domain, std::uint32_t type, std::uint32_t protocol,
                        std::uint64_t user_data) noexcept {
    entry = sqe{
        .op = opcode::socket, .fd = domain, .off = type, .len = protocol, .user_data = user_data};
}

// Binds a socket to an address: 0, or the error of bind(2). Linux 6.11.
inline void prep_bind(sqe& entry, fd socket, const ::sockaddr* address, std::uint32_t address_bytes,
                      std::uint64_t user_data) noexcept {
    entry = sqe{.op = opcode::bind,
                .fd = socket.value,
                .off = address_bytes,
                .addr = detail::address_of(address),
                .user_data = user_data};
}

// Makes a bound socket listen: 0, or the error of listen(2). Linux 6.11.
inline void prep_listen(sqe& entry, fd socket, std::uint32_t backlog,
                        std::uint64_t user_data) noexcept {
    entry = sqe{.op = opcode::listen, .fd = socket.value, .len = backlog, .user_data = user_data};
}

}  // namespace ioring
