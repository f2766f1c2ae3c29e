// SPDX-License-Identifier: MIT
// transfers.hpp - trying to receive and to send one range of bytes, from where the last try left
// off: what an echo does, inline, so that few returns follow the system's call.
#pragma once

#include <cerrno>

#include "backend/readiness/readiness_kernel.hpp"
#include "backend/readiness/system.hpp"
#include "base/pointer.hpp"

namespace ioring::backends::readiness {

using detail::pointer_of;
using emulation::consumes;
using emulation::wants_all;

// As io_uring: what was cut off fails one that wanted all.
inline bool is_cut(const operation& op, std::int32_t res, const msghdr& got) noexcept {
    return res >= 0 && wants_all(op) && (got.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
}

inline std::int32_t receive(const operation& op, std::byte* data, std::uint32_t bytes,
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

// What a call's result means for a transfer of `wanted` bytes in all.
inline readiness_kernel::outcome readiness_kernel::transferred(operation& op, std::int32_t res,
                                                               std::uint64_t wanted) noexcept {
    return emulation::transferred(op, res, wanted, [&] { return system::is_stream(op.entry.fd); });
}

inline readiness_kernel::outcome readiness_kernel::try_receive(operation& op) noexcept {
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

inline readiness_kernel::outcome readiness_kernel::try_send(operation& op) noexcept {
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

}  // namespace ioring::backends::readiness
