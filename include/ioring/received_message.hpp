// SPDX-License-Identifier: MIT
// received_message.hpp - a datagram that a multishot recvmsg left in a buffer: its parts.
//
//     ring.prepare_recvmsg_multishot(socket, &pattern, group.id(), user_data);
//     ...
//     const std::span<std::byte> chunk = group.take(done);
//     ioring::received_message message;
//     if (ioring::received_message::read(chunk, {.name_bytes = 28}, message)) use(message.payload);
//
// The kernel writes a head, then the sender's address, then ancillary data, both in as much room as
// the pattern's msg_namelen and msg_controllen say, then the payload (io_uring_recvmsg_out).
//
// Lifetime: its spans are parts of the buffer. Nothing here allocates or calls the system.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "ioring/sqe.hpp"

namespace ioring {

// What the pattern that the receive was prepared with has room for.
struct message_room {
    std::uint32_t name_bytes = 0;     // Its msg_namelen.
    std::uint32_t control_bytes = 0;  // Its msg_controllen.

    // Bytes of a buffer in front of the payload. A buffer of so many, and of the longest datagram,
    // takes any.
    [[nodiscard]] constexpr std::size_t bytes_before_payload() const noexcept {
        return head_bytes + std::size_t{name_bytes} + control_bytes;
    }
    static constexpr std::size_t head_bytes = 16;  // Of what the kernel writes first.
};

// The parts of one datagram.
struct received_message {
    // The sender's sockaddr; empty where the socket has no such.
    std::span<std::byte> name{};
    // Ancillary data: what msg_control and msg_controllen would be.
    std::span<std::byte> control{};
    // Its bytes, those that are there.
    std::span<std::byte> payload{};
    // The system's msg_flags: msg_flag::trunc; on Linux 0x08, the ancillary data did not fit.
    std::uint32_t flags = 0;
    // Of the whole address; more than name.size(): it was cut.
    std::uint32_t name_bytes = 0;
    // Of the whole datagram, if msg_flag::trunc was asked for; else of the payload.
    std::uint32_t payload_bytes = 0;

    // Some of the payload had no room and is lost.
    [[nodiscard]] bool is_cut() const noexcept {
        return (flags & msg_flag::trunc) != 0 || payload_bytes > payload.size();
    }

    // Takes the bytes of one completion apart (buffer_group::take()). False, and `out` unchanged,
    // when they are fewer than `room` and the head need: no such datagram, or another `room` than
    // the pattern's. Lengths that the head tells never reach beyond their room or the buffer.
    [[nodiscard]] static bool read(std::span<std::byte> buffer, const message_room& room,
                                   received_message& out) noexcept {
        const std::size_t around = room.bytes_before_payload();
        // On a 32-bit system the sum may have gone round.
        if (buffer.size() < around || around < room.name_bytes || around < room.control_bytes) {
            return false;
        }
        struct {
            std::uint32_t name_bytes;
            std::uint32_t control_bytes;
            std::uint32_t payload_bytes;
            std::uint32_t flags;
        } head;
        static_assert(sizeof head == message_room::head_bytes);
        std::memcpy(&head, buffer.data(), sizeof head);
        const std::span<std::byte> rest = buffer.subspan(around);
        out.name = buffer.subspan(sizeof head, std::min(head.name_bytes, room.name_bytes));
        out.control = buffer.subspan(sizeof head + room.name_bytes,
                                     std::min(head.control_bytes, room.control_bytes));
        out.payload = rest.first(std::min<std::size_t>(head.payload_bytes, rest.size()));
        out.flags = head.flags;
        out.name_bytes = head.name_bytes;
        out.payload_bytes = head.payload_bytes;
        return true;
    }
};

}  // namespace ioring
