// SPDX-License-Identifier: MIT
// messages_windows.cpp - sockets on Windows, which has neither msghdr nor iovec.
#include "backend/trace/messages.hpp"
#include "platform/socket.hpp"

namespace ioring::backends::trace {

piece_list message_pieces(std::uint64_t) { return {}; }

piece_list vector_pieces(std::uint64_t, std::uint32_t) { return {}; }

std::span<std::byte> message_address(std::uint64_t) noexcept { return {}; }

void finish_message(std::uint64_t, std::uint32_t) noexcept {}

int open_placeholder() noexcept {
    platform::native_socket made = platform::invalid_socket;
    const std::error_code error = platform::open_stream(address_family::ipv4, made);
    return error ? -error.value() : made;
}

}  // namespace ioring::backends::trace
