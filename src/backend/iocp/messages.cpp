// SPDX-License-Identifier: MIT
// messages.cpp - receiving and sending in several pieces, with an address or without.
//
// Windows' receive with an address may end in a warning, of which it is not written whether a
// packet follows. So datagrams are waited for by a poll and then received by a call that does not
// wait; streams have neither addresses nor such ends, and are received into their pieces directly.
#if __has_include(<sys/socket.h>)
#include <sys/socket.h>
#include <sys/uio.h>
#else
#include "ioring/message.hpp"
#endif

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

constexpr std::size_t pieces_max = 1024;  // UIO_MAXIOV; validate() has checked vectors.

// The message that an operation points at; one of pieces only for those that point at an array.
msghdr message_of(const sqe& asked) noexcept {
    if (asked.op != opcode::send) return *pointer_of<const msghdr>(asked.addr);
    msghdr whole{};
    whole.msg_iov = pointer_of<iovec>(asked.addr);
    whole.msg_iovlen = static_cast<decltype(whole.msg_iovlen)>(asked.len);
    whole.msg_name = pointer_of<sockaddr>(asked.off);
    whole.msg_namelen = static_cast<decltype(whole.msg_namelen)>(
        asked.off == 0 ? 0 : static_cast<std::uint32_t>(asked.file_index) & 0xffffU);
    return whole;
}

// What of a message has not been moved yet, as Winsock wants to see it.
struct rest_of_message {
    std::array<piece, pieces_max> pieces;
    std::uint32_t count = 0;

    // False: there are too many.
    bool collect(const msghdr& from, std::uint64_t done) noexcept {
        const auto total = static_cast<std::size_t>(from.msg_iovlen);
        if (total > pieces.size()) return false;
        std::uint64_t room = transfer_bytes_max;
        for (std::size_t index = 0; index < total; ++index) {
            const iovec& each = from.msg_iov[index];
            const std::size_t skip = std::min<std::uint64_t>(done, each.iov_len);
            done -= skip;
            const std::uint64_t bytes = std::min<std::uint64_t>(each.iov_len - skip, room);
            if (bytes == 0) continue;
            room -= bytes;
            pieces[count++] = {static_cast<std::uint32_t>(bytes),
                               static_cast<std::byte*>(each.iov_base) + skip};
        }
        return true;
    }

    [[nodiscard]] message described(const msghdr& from, bool with_control) noexcept {
        message out;
        out.name = static_cast<const sockaddr*>(from.msg_name);
        out.name_bytes = from.msg_name == nullptr ? 0 : static_cast<int>(from.msg_namelen);
        out.pieces = pieces.data();
        out.count = count;
        if (with_control && from.msg_control != nullptr) {
            out.control = {static_cast<std::uint32_t>(from.msg_controllen),
                           static_cast<std::byte*>(from.msg_control)};
        }
        return out;
    }
};

bool may_wait(const operation& op) noexcept {
    return (op.entry.op_flags & msg_flag::dont_wait) == 0;
}

}  // namespace

bool iocp_kernel::has_pieces(const sqe& asked) noexcept {
    return asked.op == opcode::sendmsg || asked.op == opcode::recvmsg ||
           (asked.op == opcode::send && (asked.ioprio & transfer_flag::send_vectorized) != 0);
}

std::uint64_t iocp_kernel::bytes_wanted(const operation& op) noexcept {
    if (!has_pieces(op.entry)) return op.entry.len;
    const msghdr message = message_of(op.entry);
    std::uint64_t bytes = 0;
    for (std::size_t index = 0; index < static_cast<std::size_t>(message.msg_iovlen); ++index) {
        bytes += message.msg_iov[index].iov_len;
    }
    return bytes;
}

iocp_kernel::outcome iocp_kernel::receive_message(operation& op, socket_state& of) noexcept {
    if ((op.entry.op_flags & ~known_receive_flags) != 0) return {.failed = true, .res = -EINVAL};
    auto& header = *pointer_of<msghdr>(op.entry.addr);
    for (;;) {
        rest_of_message into;
        if (!into.collect(header, op.bytes_done)) return {.failed = true, .res = -EMSGSIZE};
        const bool waits = of.stream && may_wait(op) && emulation::consumes(op) && into.count != 0;
        if (!waits) {
            message got = into.described(header, /*with_control=*/!of.stream);
            return receive_message_now(op, of, got);
        }
        // One with room for control data ends with what there is.
        if (header.msg_controllen != 0) op.entry.op_flags &= ~msg_flag::wait_all;
        if (of.read_error != 0) return received(op, of, std::exchange(of.read_error, 0));
        if (of.read_ended) return received(op, of, 0);
        if (is_no_connection(of)) return {.failed = true, .res = -ENOTCONN};
        header.msg_namelen = 0;
        header.msg_controllen = 0;
        header.msg_flags = 0;
        flight* const out = pool_.take(of, flight::kind::receive, &op);
        if (out == nullptr) return {.failed = true, .res = -ENOMEM};
        const begun how =
            system_->receive_pieces(of.handle, {into.pieces.data(), into.count}, out->system);
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

// A datagram, a peek, one that must not wait, or one of no bytes.
iocp_kernel::outcome iocp_kernel::receive_message_now(operation& op, socket_state& of,
                                                      message& got) noexcept {
    const bool wants_nothing = of.stream && got.count == 0;
    got.flags = op.entry.op_flags & msg_flag::peek;
    std::int32_t res = 0;
    if (of.read_error != 0) {
        res = std::exchange(of.read_error, 0);
    } else if (!of.read_ended) {
        res = system_->receive_message_now(of.handle, of.stream, got);
    } else {
        got.name_bytes = 0;
        got.control.bytes = 0;
    }
    res = of_socket(of, res);
    if (res == -EAGAIN && !wants_nothing) {
        return may_wait(op) ? await_readable(of) : outcome{.what = outcome::kind::blocks};
    }
    if (res == -EAGAIN) res = 0;
    if (res < 0) return {.failed = true, .res = res};
    auto& header = *pointer_of<msghdr>(op.entry.addr);
    header.msg_namelen = static_cast<decltype(header.msg_namelen)>(got.name_bytes);
    header.msg_controllen = static_cast<decltype(header.msg_controllen)>(got.control.bytes);
    header.msg_flags = static_cast<decltype(header.msg_flags)>(got.flags);
    const bool is_short = static_cast<std::uint64_t>(res) < bytes_wanted(op);
    const bool is_cut = (got.flags & (msg_flag::trunc | control_cut)) != 0;
    return {.failed = (is_short || is_cut) && emulation::wants_all(op), .res = res};
}

iocp_kernel::outcome iocp_kernel::begin_message(operation& op, socket_state& of) noexcept {
    const std::uint32_t flags = op.entry.op_flags;
    if ((flags & ~known_send_flags) != 0) return {.failed = true, .res = -EINVAL};
    if (of.write_ended) return sent(op, of, -EPIPE);
    const msghdr header = message_of(op.entry);
    for (;;) {
        rest_of_message from;
        if (!from.collect(header, op.bytes_done)) return {.failed = true, .res = -EMSGSIZE};
        message rest = from.described(header, /*with_control=*/!of.stream);
        if (of.stream) {
            rest.name = nullptr;
            rest.name_bytes = 0;
        }
        // As with plain sends: what need not be whole is tried first.
        if ((flags & msg_flag::wait_all) == 0 || !may_wait(op)) {
            const std::int32_t res = system_->send_message_now(of.handle, rest);
            if (res != -EAGAIN || !may_wait(op)) return refused_or_sent(op, of, res);
        }
        flight* const out = pool_.take(of, flight::kind::send, &op);
        if (out == nullptr) return {.failed = true, .res = -ENOMEM};
        out->room.sent = rest;
        const begun how = system_->send_message(of.handle, out->room.sent, out->system);
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

}  // namespace ioring::backends::iocp
