// SPDX-License-Identifier: MIT
// transfers.cpp - receiving and sending.
#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "backend/iocp/iocp_kernel.hpp"
#include "backend/iocp/known_flags.hpp"
#include "base/pointer.hpp"

namespace ioring::backends::iocp {
namespace {

using detail::pointer_of;
using emulation::wants_all;

bool is_fixed(const operation& op) noexcept {
    return op.entry.op == opcode::read_fixed || op.entry.op == opcode::write_fixed;
}

// read_fixed and write_fixed have none.
std::uint32_t message_flags(const operation& op) noexcept {
    return is_fixed(op) ? 0 : op.entry.op_flags;
}

std::byte* rest_of(const operation& op) noexcept {
    return pointer_of<std::byte>(op.entry.addr) + op.bytes_done;
}

// Which registered buffer is meant, + 1; 0: none.
std::uint32_t buffer_of(const operation& op) noexcept {
    return static_cast<std::uint32_t>(op.entry.addr3);
}

std::uint32_t rest_bytes(const operation& op) noexcept {
    const std::uint32_t rest = op.entry.len - op.bytes_done;
    return std::min(rest, static_cast<std::uint32_t>(transfer_bytes_max));
}

// A short read_fixed or write_fixed breaks a link, whatever was asked for.
emulation::outcome judged(const operation& op, emulation::outcome how) noexcept {
    if (how.what == emulation::outcome::kind::ended && is_fixed(op)) {
        how.failed = how.res < 0 || static_cast<std::uint32_t>(how.res) < op.entry.len;
    }
    return how;
}

}  // namespace

// Whether the memory that an operation names is pinned, and the place is one of a socket.
iocp_kernel::outcome iocp_kernel::refuse_memory(const operation& op) const noexcept {
    const sqe& asked = op.entry;
    const bool by_flag =
        asked.op == opcode::send_zc && (asked.ioprio & transfer_flag::fixed_buffer) != 0;
    if ((is_fixed(op) || by_flag) && !buffers().holds(asked.buf_index, asked.addr, asked.len)) {
        return {.failed = true, .res = -EFAULT};
    }
    if (is_fixed(op) && asked.off != 0 && asked.off != ~std::uint64_t{0}) {
        return {.failed = true, .res = -ESPIPE};
    }
    return {};
}

// Windows tells a reset again and again.
void iocp_kernel::note_reset(socket_state& of) noexcept { of.read_ended = of.write_ended = true; }

// What a receive's result is on such a socket: a datagram that nobody took ends no connection.
std::int32_t iocp_kernel::of_socket(socket_state& of, std::int32_t res) noexcept {
    if (res != -ECONNRESET && res != -ECONNABORTED) return res;
    if (!of.stream) return -ECONNREFUSED;
    note_reset(of);
    return -ECONNRESET;
}

// Windows has receives wait on a listener, and others say so: asked once.
bool iocp_kernel::is_no_connection(socket_state& of) noexcept {
    if (of.known_connection) return false;
    if (of.stream && system_->is_listening(of.handle)) return true;
    of.known_connection = true;
    return false;
}

iocp_kernel::outcome iocp_kernel::received(operation& op, socket_state& of,
                                           std::int32_t res) noexcept {
    // Our own shutdown has taken it back: that is an end.
    if (res == -ECANCELED && of.read_ended && !op.ending) res = 0;
    if (res == -ECONNABORTED) res = -ECONNRESET;
    if (res == -ECONNRESET && op.bytes_done != 0) {
        of.read_error = res;
    } else {
        res = of_socket(of, res);
    }
    return judged(op, emulation::transferred(op, res, bytes_wanted(op), [&] { return of.stream; }));
}

iocp_kernel::outcome iocp_kernel::begin_receive(operation& op, socket_state& of) noexcept {
    if ((message_flags(op) & ~known_receive_flags) != 0) return {.failed = true, .res = -EINVAL};
    for (;;) {
        if (of.read_error != 0) return received(op, of, std::exchange(of.read_error, 0));
        if (of.read_ended) return received(op, of, 0);
        if (is_no_connection(of)) return {.failed = true, .res = -ENOTCONN};
        if (op.entry.len == 0) return receive_now(op, of);
        flight* const out = pool_.take(of, flight::kind::receive, &op);
        if (out == nullptr) return {.failed = true, .res = -ENOMEM};
        const begun how =
            system_->receive(of.handle, rest_of(op), rest_bytes(op), buffer_of(op), out->system);
        if (how.pending) {
            of.reading = out;
            return {.what = outcome::kind::blocks};
        }
        pool_.unlink(*out);
        pool_.give_back(*out);
        const outcome became = received(op, of, how.res);
        if (became.what != outcome::kind::yields) return became;
    }
}

// A receive that does not wait, of which the memory is nobody else's afterwards.
std::int32_t iocp_kernel::take(socket_state& of, std::byte* data, std::uint32_t bytes,
                               std::uint32_t msg_flags) noexcept {
    if (of.read_error != 0) return std::exchange(of.read_error, 0);
    if (of.read_ended) return 0;
    return of_socket(of, system_->receive_now(of.handle, data, bytes, msg_flags));
}

// A peek, one that must not wait, or one of no bytes.
iocp_kernel::outcome iocp_kernel::receive_now(operation& op, socket_state& of) noexcept {
    const std::uint32_t flags = op.entry.op_flags;
    if ((flags & ~known_receive_flags) != 0) return {.failed = true, .res = -EINVAL};
    const std::int32_t res = take(of, rest_of(op), rest_bytes(op), flags & msg_flag::peek);
    if (res == -EAGAIN && op.entry.len == 0) return {.res = 0};
    if (res == -EAGAIN) {
        const bool may_wait = (flags & msg_flag::dont_wait) == 0;
        return may_wait ? await_readable(of) : outcome{.what = outcome::kind::blocks};
    }
    // A peek takes nothing, so that there is no rest to go on with.
    if (res < 0) return {.failed = true, .res = res};
    const bool is_short = static_cast<std::uint32_t>(res) < op.entry.len && wants_all(op);
    return {.failed = is_short, .res = res};
}

iocp_kernel::outcome iocp_kernel::receive_selected(operation& op, socket_state& of) noexcept {
    using kind = outcome::kind;
    const sqe& asked = op.entry;
    if ((asked.op_flags & ~known_receive_flags) != 0) return {.failed = true, .res = -EINVAL};
    const bool multishot = (asked.ioprio & transfer_flag::multishot) != 0;
    for (int shot = 0; shot < shots_turn_max; ++shot) {
        emulation::selected_buffer into;
        if (!groups().select(asked.buf_index, asked.len, into)) {
            // One that waits has no use for a buffer until there is something to put into it.
            std::byte unused{};
            const bool waits = op.in_flight || shot > 0;
            const bool empty =
                waits && of.read_error == 0 && !of.read_ended &&
                system_->receive_now(of.handle, &unused, 1, msg_flag::peek) == -EAGAIN;
            if (empty) return await_readable(of);
            return {.failed = true, .res = -ENOBUFS};
        }
        if (wants_all(op) && into.incremental) return {.failed = true, .res = -EINVAL};
        const std::int32_t res = take(of, into.data, into.bytes, asked.op_flags & msg_flag::peek);
        if (res == -EAGAIN) {
            const bool may_wait = (asked.op_flags & msg_flag::dont_wait) == 0;
            return may_wait ? await_readable(of) : outcome{.what = kind::blocks};
        }
        if (res < 0) return {.failed = true, .res = res};
        if (res == 0) return {.failed = wants_all(op), .res = 0};
        const auto bytes = static_cast<std::uint32_t>(res);
        std::uint32_t flags = groups().commit(asked.buf_index, bytes);
        const bool is_short = bytes < into.bytes;
        if (emulation::fills_its_buffer(op, bytes, into.bytes, [&] { return of.stream; })) {
            emulation::keep_buffer(op, into, bytes, flags);
            return begin_receive(op, of);
        }
        if (!is_short) flags |= cqe_flag::sock_nonempty;
        if (!multishot || !post_more(op, res, flags)) {
            return {.failed = wants_all(op) && is_short, .res = res, .flags = flags};
        }
    }
    return {.what = kind::yields};
}

// Until there is something to read: by a receive of no bytes, and for datagrams, which that would
// take away, by a poll.
iocp_kernel::outcome iocp_kernel::await_readable(socket_state& of) noexcept {
    if (of.readable != nullptr) return {.what = outcome::kind::blocks};
    flight* const out = pool_.take(of, flight::kind::readable, nullptr);
    if (out == nullptr) return {.failed = true, .res = -ENOMEM};
    const begun how = of.stream
                          ? system_->receive(of.handle, nullptr, 0, 0, out->system)
                          : system_->poll(of.handle, poll_event::in, out->room.poll, out->system);
    if (how.pending) {
        of.readable = out;
        return {.what = outcome::kind::blocks};
    }
    pool_.unlink(*out);
    pool_.give_back(*out);
    // It came just now. An error is told by the try that follows.
    return {.what = outcome::kind::yields};
}

iocp_kernel::outcome iocp_kernel::sent(operation& op, socket_state& of, std::int32_t res) noexcept {
    // Our own shutdown has taken it back.
    if (res == -ECANCELED && of.write_ended && !op.ending) res = -EPIPE;
    if (res == -ECONNABORTED) res = -ECONNRESET;
    if (res == -ECONNRESET && of.stream) of.write_ended = true;
    return judged(op, emulation::transferred(op, res, bytes_wanted(op), [] { return true; }));
}

iocp_kernel::outcome iocp_kernel::begin_send(operation& op, socket_state& of) noexcept {
    const std::uint32_t flags = message_flags(op);
    if ((flags & ~known_send_flags) != 0) return {.failed = true, .res = -EINVAL};
    if (of.write_ended) return sent(op, of, -EPIPE);
    const sqe& asked = op.entry;
    // Windows begins to send all of it or nothing, and ends when all is gone: so what need not be
    // whole is tried first.
    if ((flags & msg_flag::wait_all) == 0 && (is_fixed(op) || asked.off == 0)) {
        const std::int32_t res = system_->send_now(of.handle, rest_of(op), rest_bytes(op));
        const bool waits = res == -EAGAIN && (flags & msg_flag::dont_wait) == 0;
        if (!waits) return refused_or_sent(op, of, res);
    }
    const auto* const to = is_fixed(op) ? nullptr : pointer_of<const sockaddr>(asked.off);
    const auto to_bytes = static_cast<std::uint32_t>(asked.file_index) & 0xffffU;
    if ((flags & msg_flag::dont_wait) != 0) {
        piece all{rest_bytes(op), rest_of(op)};
        message addressed;
        addressed.name = to;
        addressed.name_bytes = to == nullptr ? 0 : static_cast<std::int32_t>(to_bytes);
        addressed.pieces = &all;
        addressed.count = 1;
        return refused_or_sent(op, of, system_->send_message_now(of.handle, addressed));
    }
    for (;;) {
        flight* const out = pool_.take(of, flight::kind::send, &op);
        if (out == nullptr) return {.failed = true, .res = -ENOMEM};
        const begun how = system_->send(of.handle, rest_of(op), rest_bytes(op), buffer_of(op), to,
                                        to_bytes, out->system);
        if (how.pending) {
            of.writing = out;
            return {.what = outcome::kind::blocks};
        }
        pool_.unlink(*out);
        pool_.give_back(*out);
        const outcome became = refused_or_sent(op, of, how.res);
        if (became.what != outcome::kind::yields) return became;
    }
}

// What a call said at once. On a socket that has no peer that may be a reset, and is none.
iocp_kernel::outcome iocp_kernel::refused_or_sent(operation& op, socket_state& of,
                                                  std::int32_t res) noexcept {
    if (res != -ECONNRESET || of.known_connection) return sent(op, of, res);
    alignas(8) std::array<std::byte, 128> unused;
    auto bytes = static_cast<std::uint32_t>(unused.size());
    const int peer =
        system_->peer_address(of.handle, reinterpret_cast<sockaddr*>(unused.data()), &bytes);
    return sent(op, of, peer == -ENOTCONN ? -EPIPE : res);
}

}  // namespace ioring::backends::iocp
