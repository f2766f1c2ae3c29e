// SPDX-License-Identifier: MIT
// os_windows.cpp - sockets on Windows, which has no msghdr.
#include "backend/fault/os.hpp"
#include "platform/winsock_windows.hpp"

namespace ioring::backends::fault {

bool is_stream_socket(std::int32_t fd) noexcept {
    int type = 0;
    socklen_t bytes = sizeof type;
    return ::getsockopt(platform::system_socket(fd), SOL_SOCKET, SO_TYPE,
                        reinterpret_cast<char*>(&type), &bytes) == 0 &&
           type == SOCK_STREAM;
}

bool is_connected(std::int32_t fd) noexcept {
    endpoint unused;
    return !platform::peer_endpoint(fd, unused);
}

std::size_t message_pieces(std::uint64_t) noexcept { return 0; }

std::unique_ptr<std::byte[]> cut_message(std::uint64_t, std::size_t) { return nullptr; }

}  // namespace ioring::backends::fault
