// SPDX-License-Identifier: MIT
// memory.hpp - what an SQE points at: what the program gives by it, and where the backend puts what
// it gives.
#pragma once

#include <cstdint>
#include <span>

#include "backend/trace/groups.hpp"
#include "backend/trace/messages.hpp"
#include "ioring/sqe.hpp"

namespace ioring::backends::trace {

// The bytes that `entry` sends.
[[nodiscard]] piece_list sent_payload(const sqe& entry);
// The sockaddr that it connects or binds to, or the time that it waits for; empty for neither.
[[nodiscard]] std::span<const std::byte> given_address(const sqe& entry) noexcept;
[[nodiscard]] std::span<const std::byte> given_time(const sqe& entry) noexcept;

// Where the bytes of `done`, a CQE of `entry`, are put. Takes note of group buffers that it uses.
[[nodiscard]] piece_list received_payload(const sqe& entry, const cqe& done, group_table& groups);
// Where the peer's sockaddr is put: before the operation of its capacity, after it of its size,
// which may be more.
[[nodiscard]] std::span<std::byte> received_address(const sqe& entry) noexcept;
// Says how much of it was used.
void set_received_address_bytes(const sqe& entry, std::uint32_t bytes) noexcept;

}  // namespace ioring::backends::trace
