// SPDX-License-Identifier: MIT
// os_posix.cpp - sockets and messages on POSIX systems.
#include <sys/socket.h>

#include <cstring>

#include "backend/fault/os.hpp"

namespace ioring::backends::fault {
namespace {

const msghdr& message_at(std::uint64_t address) noexcept {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an SQE holds every pointer as a number.
    return *reinterpret_cast<const msghdr*>(static_cast<std::uintptr_t>(address));
}

}  // namespace

bool is_stream_socket(std::int32_t fd) noexcept {
    int type = 0;
    socklen_t bytes = sizeof type;
    return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &bytes) == 0 && type == SOCK_STREAM;
}

bool is_connected(std::int32_t fd) noexcept {
    sockaddr_storage peer{};
    socklen_t bytes = sizeof peer;
    return ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &bytes) == 0;
}

std::size_t message_pieces(std::uint64_t address) noexcept {
    return address == 0 ? 0 : static_cast<std::size_t>(message_at(address).msg_iovlen);
}

std::unique_ptr<std::byte[]> cut_message(std::uint64_t address, std::size_t pieces) {
    if (message_pieces(address) <= pieces) return nullptr;
    msghdr copy = message_at(address);
    copy.msg_iovlen = static_cast<decltype(copy.msg_iovlen)>(pieces);
    auto storage = std::make_unique<std::byte[]>(sizeof copy);
    std::memcpy(storage.get(), &copy, sizeof copy);
    return storage;
}

}  // namespace ioring::backends::fault
