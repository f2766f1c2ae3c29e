// SPDX-License-Identifier: MIT
// messages.hpp - the bytes behind a msghdr or an iovec array, and a descriptor to stand for
// another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ioring::backends::trace {

// Pieces of memory, one after the other.
using piece_list = std::vector<std::span<std::byte>>;

// Of the msghdr at `address`; none for no address.
[[nodiscard]] piece_list message_pieces(std::uint64_t address);
// Of `count` iovecs at `address`.
[[nodiscard]] piece_list vector_pieces(std::uint64_t address, std::uint32_t count);
// Where the msghdr at `address` has its sockaddr.
[[nodiscard]] std::span<std::byte> message_address(std::uint64_t address) noexcept;
// What a receive writes into the msghdr itself: the size of the sockaddr, and that there was
// nothing else.
void finish_message(std::uint64_t address, std::uint32_t address_bytes) noexcept;

// A new socket that is connected to nothing, or -errno.
[[nodiscard]] int open_placeholder() noexcept;

}  // namespace ioring::backends::trace
