// SPDX-License-Identifier: MIT
// placeholder_windows.cpp - a socket that stands for another, on Windows.
#include "backend/trace/messages.hpp"
#include "platform/socket.hpp"

namespace ioring::backends::trace {

int open_placeholder() noexcept {
    platform::native_socket made = platform::invalid_socket;
    const std::error_code error = platform::open_stream(address_family::ipv4, made);
    return error ? -error.value() : made;
}

}  // namespace ioring::backends::trace
