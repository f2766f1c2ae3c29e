// SPDX-License-Identifier: MIT
// messages.cpp - the bytes behind a msghdr and an array of iovec.
#include "backend/trace/messages.hpp"

#if __has_include(<sys/socket.h>)
#include <sys/socket.h>
#include <sys/uio.h>
#else
#include "ioring/message.hpp"
#endif

namespace ioring::backends::trace {
namespace {

template <class Struct>
Struct* at(std::uint64_t address) noexcept {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an SQE holds every pointer as a number.
    return reinterpret_cast<Struct*>(static_cast<std::uintptr_t>(address));
}

piece_list pieces_of(const iovec* first, std::size_t count) {
    piece_list all;
    for (std::size_t i = 0; first != nullptr && i < count; ++i) {
        all.emplace_back(static_cast<std::byte*>(first[i].iov_base), first[i].iov_len);
    }
    return all;
}

}  // namespace

piece_list message_pieces(std::uint64_t address) {
    if (address == 0) return {};
    const msghdr& message = *at<msghdr>(address);
    return pieces_of(message.msg_iov, static_cast<std::size_t>(message.msg_iovlen));
}

piece_list vector_pieces(std::uint64_t address, std::uint32_t count) {
    return pieces_of(at<iovec>(address), count);
}

std::span<std::byte> message_address(std::uint64_t address) noexcept {
    if (address == 0) return {};
    const msghdr& message = *at<msghdr>(address);
    if (message.msg_name == nullptr) return {};
    return {static_cast<std::byte*>(message.msg_name),
            static_cast<std::size_t>(message.msg_namelen)};
}

void finish_message(std::uint64_t address, std::uint32_t address_bytes) noexcept {
    if (address == 0) return;
    msghdr& message = *at<msghdr>(address);
    message.msg_namelen = address_bytes;
    message.msg_controllen = 0;
    message.msg_flags = 0;
}

}  // namespace ioring::backends::trace
