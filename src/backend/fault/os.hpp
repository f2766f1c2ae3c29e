// SPDX-License-Identifier: MIT
// os.hpp - the little that the fault backend asks of the system.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace ioring::backends::fault {

// Whether a byte stream may be cut there: datagrams would lose what a short receive leaves behind.
[[nodiscard]] bool is_stream_socket(std::int32_t fd) noexcept;
[[nodiscard]] bool is_connected(std::int32_t fd) noexcept;

// A copy of the msghdr at `address` with its first `pieces` pieces only, to be kept until the send
// has completed; null when it has no more than that.
[[nodiscard]] std::unique_ptr<std::byte[]> cut_message(std::uint64_t address, std::size_t pieces);
// How many pieces the msghdr at `address` has.
[[nodiscard]] std::size_t message_pieces(std::uint64_t address) noexcept;

}  // namespace ioring::backends::fault
