// SPDX-License-Identifier: MIT
// transfers.cpp - trying to receive and to send messages, pieces and provided buffers, from where
// the last try left off.
#include <algorithm>
#include <array>
#include <cerrno>

#include "backend/readiness/readiness_kernel.hpp"
#include "backend/readiness/transfers.hpp"

namespace ioring::backends::readiness {
namespace {

constexpr std::size_t pieces_max = 1024;  // UIO_MAXIOV; validate() has checked vectors.

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

}  // namespace

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
