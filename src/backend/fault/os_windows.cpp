// SPDX-License-Identifier: MIT
// os_windows.cpp - sockets on Windows, and the msghdr that the library has there.
#include "backend/fault/os.hpp"

#include <cstring>

#include "ioring/message.hpp"
#include "platform/winsock_windows.hpp"

namespace ioring::backends::fault {
namespace {

const msghdr& message_at(std::uint64_t address) noexcept {
    return *reinterpret_cast<const msghdr*>(static_cast<std::uintptr_t>(address));
}

}  // namespace

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

std::size_t message_pieces(std::uint64_t address) noexcept {
    return address == 0 ? 0 : message_at(address).msg_iovlen;
}

std::unique_ptr<std::byte[]> cut_message(std::uint64_t address, std::size_t pieces) {
    if (message_pieces(address) <= pieces) return nullptr;
    msghdr copy = message_at(address);
    copy.msg_iovlen = pieces;
    auto storage = std::make_unique<std::byte[]>(sizeof copy);
    std::memcpy(storage.get(), &copy, sizeof copy);
    return storage;
}

}  // namespace ioring::backends::fault
