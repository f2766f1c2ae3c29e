// SPDX-License-Identifier: MIT
// transfers.cpp - trying to receive and to send, from where the last try left off.
#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

#include "backend/readiness/readiness_kernel.hpp"
#include "backend/readiness/system.hpp"
#include "base/pointer.hpp"

namespace ioring::backends::readiness {
namespace {

using detail::pointer_of;

constexpr std::size_t pieces_max = 1024;  // UIO_MAXIOV; validate() has checked vectors.

using emulation::consumes;
using emulation::wants_all;

// The pieces of a message that have not been moved yet.
struct pieces {
    std::array<iovec, pieces_max> rest;
    std::size_t count = 0;
    std::uint64_t bytes = 0;  // Of all, moved ones too.

    // False: there are too many.
    bool collect(const iovec* from, std::size_t from_count, std::uint64_t done) noexcept {
        if (from_count > rest.size()) return false;
        for (std::size_t index = 0; index < from_count; ++index) {
            const iovec& piece = from[index];
            bytes += piece.iov_len;
            const std::size_t skip = std::min<std::uint64_t>(done, piece.iov_len);
            done -= skip;
            if (skip == piece.iov_len && count == 0) continue;
            rest[count++] = {.iov_base = static_cast<std::byte*>(piece.iov_base) + skip,
                             .iov_len = piece.iov_len - skip};
        }
        return true;
    }
};

// As io_uring: what was cut off fails one that wanted all.
bool is_cut(const operation& op, std::int32_t res, const msghdr& got) noexcept {
    return res >= 0 && wants_all(op) && (got.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
}

std::int32_t receive(const operation& op, std::byte* data, std::uint32_t bytes,
                     bool& cut) noexcept {
    const sqe& asked = op.entry;
    if (!wants_all(op)) return system::receive(asked.fd, data, bytes, asked.op_flags);
    iovec piece{.iov_base = data, .iov_len = bytes};
    msghdr whole{};
    whole.msg_iov = &piece;
    whole.msg_iovlen = 1;
    const std::int32_t res = system::receive_message(asked.fd, whole, asked.op_flags);
    cut = is_cut(op, res, whole);
    return res;
}

}  // namespace

// What a call's result means for a transfer of `wanted` bytes in all.
readiness_kernel::outcome readiness_kernel::transferred(operation& op, std::int32_t res,
                                                        std::uint64_t wanted) noexcept {
    return emulation::transferred(op, res, wanted, [&] { return system::is_stream(op.entry.fd); });
}

readiness_kernel::outcome readiness_kernel::try_receive(operation& op) noexcept {
    const sqe& asked = op.entry;
    for (;;) {
        bool cut = false;
        const std::int32_t res = receive(op, pointer_of<std::byte>(asked.addr) + op.bytes_done,
                                         asked.len - op.bytes_done, cut);
        const bool is_short =
            res > 0 && static_cast<std::uint32_t>(res) < asked.len - op.bytes_done;
        if (res > 0) note_received(static_cast<std::uint32_t>(res));
        if (is_short && consumes(op)) note_short_receive(asked.fd);
        outcome how = transferred(op, res, asked.len);
        how.failed = how.failed || cut;
        if (how.what != outcome::kind::yields) return how;
    }
}

// Whether nothing but what the socket holds decides when this ends: neither a group without a
// buffer nor a slot without memory.
bool readiness_kernel::ends_by_data_only(const operation& op) noexcept {
    // An accept is refused on a connection, a read_fixed may lack its memory.
    if (op.entry.op != opcode::recv && op.entry.op != opcode::recvmsg) return false;
    emulation::selected_buffer unused;
    return !op.has_flag(sqe_flag::buffer_select) ||
           (!wants_all(op) && groups().select(op.entry.buf_index, op.entry.len, unused));
}

readiness_kernel::outcome readiness_kernel::try_receive_selected(operation& op) noexcept {
    using kind = outcome::kind;
    const sqe& asked = op.entry;
    const bool multishot = (asked.ioprio & transfer_flag::multishot) != 0;
    for (int shot = 0; shot < shots_turn_max; ++shot) {
        emulation::selected_buffer into;
        if (!groups().select(asked.buf_index, asked.len, into)) {
            // One that waits has no use for a buffer until there is something to put into it.
            const bool waits = op.in_flight || shot > 0;
            if (waits && system::poll_now(asked.fd, poll_event::in) == 0) {
                return {.what = kind::blocks};
            }
            return {.failed = true, .res = -ENOBUFS};
        }
        if (wants_all(op) && into.incremental) return {.failed = true, .res = -EINVAL};
        bool cut = false;
        const std::int32_t res = receive(op, into.data, into.bytes, cut);
        if (res == -EAGAIN || res == -EWOULDBLOCK) return {.what = kind::blocks};
        if (res < 0) return {.failed = true, .res = res};
        if (res == 0) return {.failed = wants_all(op), .res = 0};
        const auto bytes = static_cast<std::uint32_t>(res);
        note_received(bytes);
        std::uint32_t flags = groups().commit(asked.buf_index, bytes);
        const bool is_short = bytes < into.bytes;
        if (is_short && consumes(op)) note_short_receive(asked.fd);
        if (emulation::fills_its_buffer(op, bytes, into.bytes,
                                        [&] { return system::is_stream(asked.fd); })) {
            emulation::keep_buffer(op, into, bytes, flags);
            return try_receive(op);
        }
        if (!is_short) flags |= cqe_flag::sock_nonempty;
        if (!multishot || !post_more(op, res, flags)) {
            return {.failed = (wants_all(op) && is_short) || cut, .res = res, .flags = flags};
        }
        if (is_drained(asked.fd)) return {.what = kind::blocks};
        if (!has_bytes_left()) break;
    }
    return {.what = kind::yields};
}

readiness_kernel::outcome readiness_kernel::try_receive_message(operation& op) noexcept {
    const sqe& asked = op.entry;
    auto& message = *pointer_of<msghdr>(asked.addr);
    for (;;) {
        pieces into;
        const auto count = static_cast<std::size_t>(message.msg_iovlen);
        if (!into.collect(message.msg_iov, count, op.bytes_done)) {
            return {.failed = true, .res = -EMSGSIZE};
        }
        msghdr rest = message;
        rest.msg_iov = into.rest.data();
        rest.msg_iovlen = static_cast<decltype(rest.msg_iovlen)>(into.count);
        // As io_uring: one with room for control data ends with what there is. A second call would
        // lose what came with the first.
        const std::uint64_t wanted = message.msg_controllen != 0 ? 0 : into.bytes;
        const std::int32_t res = system::receive_message(asked.fd, rest, asked.op_flags);
        if (res >= 0) {
            message.msg_namelen = rest.msg_namelen;
            message.msg_controllen = rest.msg_controllen;
            message.msg_flags = rest.msg_flags;
        }
        outcome how = transferred(op, res, wanted);
        how.failed = how.failed || is_cut(op, res, rest);
        if (how.what != outcome::kind::yields) return how;
    }
}

readiness_kernel::outcome readiness_kernel::try_send(operation& op) noexcept {
    const sqe& asked = op.entry;
    const bool fixed =
        asked.op == opcode::send_zc && (asked.ioprio & transfer_flag::fixed_buffer) != 0;
    if (fixed && !buffers().holds(asked.buf_index, asked.addr, asked.len)) {
        return {.failed = true, .res = -EFAULT};
    }
    const auto* const to = pointer_of<const sockaddr>(asked.off);
    const auto to_bytes = static_cast<std::uint32_t>(asked.file_index) & 0xffffU;
    for (;;) {
        const std::int32_t res =
            system::send(asked.fd, pointer_of<std::byte>(asked.addr) + op.bytes_done,
                         asked.len - op.bytes_done, asked.op_flags, to, to_bytes);
        const outcome how = transferred(op, res, asked.len);
        if (how.what != outcome::kind::yields) return how;
    }
}

// A message, or an array of pieces without one.
readiness_kernel::outcome readiness_kernel::try_send_pieces(operation& op) noexcept {
    const sqe& asked = op.entry;
    msghdr whole{};
    if (asked.op == opcode::sendmsg) {
        whole = *pointer_of<const msghdr>(asked.addr);
    } else {
        whole.msg_iov = pointer_of<iovec>(asked.addr);
        whole.msg_iovlen = static_cast<decltype(whole.msg_iovlen)>(asked.len);
        whole.msg_name = pointer_of<sockaddr>(asked.off);
        whole.msg_namelen = static_cast<socklen_t>(
            asked.off == 0 ? 0 : static_cast<std::uint32_t>(asked.file_index) & 0xffffU);
    }
    for (;;) {
        pieces from;
        const auto count = static_cast<std::size_t>(whole.msg_iovlen);
        if (!from.collect(whole.msg_iov, count, op.bytes_done)) {
            return {.failed = true, .res = -EMSGSIZE};
        }
        msghdr rest = whole;
        rest.msg_iov = from.rest.data();
        rest.msg_iovlen = static_cast<decltype(rest.msg_iovlen)>(from.count);
        if (op.bytes_done != 0) {  // Control data went with the first bytes.
            rest.msg_control = nullptr;
            rest.msg_controllen = 0;
        }
        const std::int32_t res = system::send_message(asked.fd, rest, asked.op_flags);
        const outcome how = transferred(op, res, from.bytes);
        if (how.what != outcome::kind::yields) return how;
    }
}

// On a socket read_fixed receives and write_fixed sends; the offset must then be none. Of the rest
// only files are served: no flag of a call keeps it from waiting on a pipe.
readiness_kernel::outcome readiness_kernel::try_fixed(operation& op) noexcept {
    const sqe& asked = op.entry;
    if (!system::is_open(asked.fd)) return {.failed = true, .res = -EBADF};
    if (!buffers().holds(asked.buf_index, asked.addr, asked.len)) {
        return {.failed = true, .res = -EFAULT};
    }
    const bool reads = asked.op == opcode::read_fixed;
    std::byte* const data = pointer_of<std::byte>(asked.addr);
    std::int32_t res = 0;
    if (system::is_regular_file(asked.fd)) {
        res = reads ? system::read_at(asked.fd, data, asked.len, asked.off)
                    : system::write_at(asked.fd, data, asked.len, asked.off);
    } else if (!system::is_socket(asked.fd)) {
        res = -EOPNOTSUPP;
    } else if (asked.off != 0 && asked.off != ~std::uint64_t{0}) {
        res = -ESPIPE;
    } else {
        res = reads ? system::receive(asked.fd, data, asked.len, 0)
                    : system::send(asked.fd, data, asked.len, 0, nullptr, 0);
    }
    if (res == -EAGAIN || res == -EWOULDBLOCK) return {.what = outcome::kind::blocks};
    const bool is_short = res < 0 || static_cast<std::uint32_t>(res) < asked.len;
    return {.failed = is_short, .res = res};
}

}  // namespace ioring::backends::readiness
