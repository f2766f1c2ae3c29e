// SPDX-License-Identifier: MIT
// memory.cpp - which field of which operation points at what.
#include "backend/trace/memory.hpp"

namespace ioring::backends::trace {
namespace {

std::byte* pointer(std::uint64_t address) noexcept {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an SQE holds every pointer as a number.
    return reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(address));
}

std::span<std::byte> bytes_at(std::uint64_t address, std::uint64_t bytes) noexcept {
    if (address == 0) return {};
    return {pointer(address), static_cast<std::size_t>(bytes)};
}

bool selects_buffer(const sqe& entry) noexcept {
    return (entry.flags & sqe_flag::buffer_select) != 0;
}

// The first `bytes` of them.
piece_list cut(piece_list pieces, std::size_t bytes) {
    std::size_t count = 0;
    for (; count < pieces.size() && bytes > 0; ++count) {
        if (pieces[count].size() > bytes) pieces[count] = pieces[count].first(bytes);
        bytes -= pieces[count].size();
    }
    pieces.resize(count);
    return pieces;
}

}  // namespace

piece_list sent_payload(const sqe& entry) {
    switch (entry.op) {
        case opcode::send:
            if ((entry.ioprio & transfer_flag::send_vectorized) != 0) {
                return vector_pieces(entry.addr, entry.len);
            }
            [[fallthrough]];
        case opcode::send_zc:
        case opcode::write_fixed:
        case opcode::write:
            if (entry.addr == 0 || entry.len == 0 || selects_buffer(entry)) return {};
            return {bytes_at(entry.addr, entry.len)};
        case opcode::sendmsg: return message_pieces(entry.addr);
        default: return {};
    }
}

std::span<const std::byte> given_address(const sqe& entry) noexcept {
    if (entry.op == opcode::connect || entry.op == opcode::bind) {
        return bytes_at(entry.addr, entry.off);
    }
    return entry.op == opcode::sendmsg ? message_address(entry.addr) : std::span<std::byte>{};
}

std::span<const std::byte> given_time(const sqe& entry) noexcept {
    switch (entry.op) {
        case opcode::timeout:
        case opcode::link_timeout: return bytes_at(entry.addr, sizeof(kernel_timespec));
        case opcode::timeout_remove:
            if ((entry.op_flags & timeout_flag::update) == 0) return {};
            return bytes_at(entry.off, sizeof(kernel_timespec));
        default: return {};
    }
}

piece_list received_payload(const sqe& entry, const cqe& done, group_table& groups) {
    if (done.res <= 0) return {};
    const auto bytes = static_cast<std::size_t>(done.res);
    switch (entry.op) {
        case opcode::recv:
        case opcode::read:
        case opcode::read_fixed:
            if (!selects_buffer(entry)) return cut({bytes_at(entry.addr, entry.len)}, bytes);
            if (const auto filled = groups.take(entry.buf_index, done); !filled.empty()) {
                return {filled};
            }
            return {};
        case opcode::recvmsg:
            if (!selects_buffer(entry)) return cut(message_pieces(entry.addr), bytes);
            return {};
        default: return {};
    }
}

std::span<std::byte> received_address(const sqe& entry) noexcept {
    if (entry.op == opcode::recvmsg && !selects_buffer(entry)) return message_address(entry.addr);
    const bool wanted = entry.op == opcode::accept && entry.addr != 0 && entry.off != 0;
    if (!wanted) return {};
    return bytes_at(entry.addr, *reinterpret_cast<const std::uint32_t*>(pointer(entry.off)));
}

void set_received_address_bytes(const sqe& entry, std::uint32_t bytes) noexcept {
    if (entry.op == opcode::recvmsg) return finish_message(entry.addr, bytes);
    if (entry.off != 0) *reinterpret_cast<std::uint32_t*>(pointer(entry.off)) = bytes;
}

}  // namespace ioring::backends::trace
