// SPDX-License-Identifier: MIT
// outcome.hpp - what became of a try to carry an operation out.
#pragma once

#include <cerrno>
#include <cstdint>

#include "backend/emulation/buffer_groups.hpp"
#include "backend/emulation/operation.hpp"

namespace ioring::backends::emulation {

struct outcome {
    enum class kind : std::uint8_t {
        ended,   // With `res` and `flags`.
        blocks,  // Nothing (more) can be done now.
        yields   // More could be done: by trying again, or when others have had their turn.
    };
    kind what = kind::ended;
    bool failed = false;
    std::int32_t res = 0;
    std::uint32_t flags = 0;
};

[[nodiscard]] inline bool wants_all(const operation& op) noexcept {
    return (op.entry.op_flags & msg_flag::wait_all) != 0;
}

// What it gets is gone from the socket.
[[nodiscard]] inline bool consumes(const operation& op) noexcept {
    constexpr std::uint32_t out_of_band = 0x01;  // MSG_OOB of Linux.
    return (op.entry.op_flags & (msg_flag::peek | msg_flag::trunc | out_of_band)) == 0;
}

// Whether a receive that got `bytes` of the `room` in a buffer of a group is to go on in it.
template <class Ask>
[[nodiscard]] bool fills_its_buffer(const operation& op, std::uint32_t bytes, std::uint32_t room,
                                    Ask is_stream) noexcept {
    const bool may_wait = (op.entry.op_flags & msg_flag::dont_wait) == 0;
    return bytes < room && wants_all(op) && may_wait && consumes(op) && is_stream();
}

// From now on `op` is a receive into that buffer, of which it has got the first `bytes`.
inline void keep_buffer(operation& op, const selected_buffer& into, std::uint32_t bytes,
                        std::uint32_t cqe_flags) noexcept {
    op.entry.addr = reinterpret_cast<std::uintptr_t>(into.data);
    op.entry.len = into.bytes;
    op.bytes_done = bytes;
    op.kept_buffer = cqe_flags;
}

// What a call's result means for a transfer of `wanted` bytes in all; it yields when the rest is to
// be tried. `is_stream`: asked only if it matters.
template <class Ask>
[[nodiscard]] outcome transferred(operation& op, std::int32_t res, std::uint64_t wanted,
                                  Ask is_stream) noexcept {
    using kind = outcome::kind;
    const std::uint64_t before = op.bytes_done;
    if (res == -EAGAIN || res == -EWOULDBLOCK) return {.what = kind::blocks};
    if (res < 0) {
        // What has moved is told; the error comes with the next operation.
        const auto moved = static_cast<std::int32_t>(before);
        return {.failed = true, .res = moved > 0 ? moved : res, .flags = op.kept_buffer};
    }
    const std::uint64_t total = before + static_cast<std::uint32_t>(res);
    const bool is_short = total < wanted && wants_all(op);
    // One that may not wait does not try again either, as on io_uring: the second try would take
    // the socket's error away, which is the next operation's.
    const bool may_wait = (op.entry.op_flags & msg_flag::dont_wait) == 0;
    if (is_short && res > 0 && may_wait && is_stream()) {
        op.bytes_done = static_cast<std::uint32_t>(total);
        return {.what = kind::yields};
    }
    return {.failed = is_short, .res = static_cast<std::int32_t>(total), .flags = op.kept_buffer};
}

}  // namespace ioring::backends::emulation
