// SPDX-License-Identifier: MIT
// results.cpp - a table of what each operation comes to when nothing is done.
#include "backend/null/results.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <limits>

#include "backend/null/os.hpp"
#include "platform/socket.hpp"

namespace ioring::backends::null {
namespace {

constexpr std::uint8_t known_flags = sqe_flag::io_drain | sqe_flag::io_link |
                                     sqe_flag::io_hardlink | sqe_flag::async |
                                     sqe_flag::cqe_skip_success;

constexpr std::uint32_t known_cancel_flags = cancel_flag::all | cancel_flag::by_fd |
                                             cancel_flag::any | cancel_flag::by_user_data |
                                             cancel_flag::by_opcode;

constexpr std::array known_opcodes{opcode::nop,      opcode::read_fixed,   opcode::write_fixed,
                                   opcode::poll_add, opcode::poll_remove,  opcode::sendmsg,
                                   opcode::recvmsg,  opcode::timeout,      opcode::timeout_remove,
                                   opcode::accept,   opcode::async_cancel, opcode::link_timeout,
                                   opcode::connect,  opcode::close,        opcode::send,
                                   opcode::recv,     opcode::shutdown,     opcode::socket,
                                   opcode::send_zc,  opcode::bind,         opcode::listen};
constexpr auto is_known = [] {
    std::array<bool, 64> known{};
    for (const opcode op : known_opcodes) known[static_cast<std::size_t>(op)] = true;
    return known;
}();

constexpr std::uint16_t no_ioprio = 0;

// The bits of `ioprio` that mean something to `op`.
std::uint16_t known_ioprio(opcode op) noexcept {
    switch (op) {
        case opcode::accept:
            return accept_flag::multishot | accept_flag::dont_wait | accept_flag::poll_first;
        case opcode::send:
        case opcode::recv:
        case opcode::sendmsg:
        case opcode::recvmsg: return transfer_flag::poll_first;
        case opcode::send_zc:
            return transfer_flag::poll_first | transfer_flag::fixed_buffer |
                   transfer_flag::zc_report_usage;
        default: return no_ioprio;
    }
}

bool needs_descriptor(opcode op) noexcept {
    switch (op) {
        case opcode::nop:
        case opcode::async_cancel:
        case opcode::poll_remove:
        case opcode::timeout:
        case opcode::timeout_remove:
        case opcode::link_timeout:
        case opcode::socket: return false;
        default: return true;
    }
}

}  // namespace

probe_result probe() noexcept {
    probe_result known;
    for (const opcode op : known_opcodes) known.opcodes.set(static_cast<std::size_t>(op));
    for (const feature which :
         {feature::accept_multishot, feature::cancel_any, feature::poll_multishot,
          feature::timeout_multishot, feature::send_zero_copy, feature::single_issuer}) {
        known.features.set(static_cast<std::size_t>(which));
    }
    return known;
}

std::int32_t results::of(const sqe& entry, bool linked) noexcept {
    const auto number = static_cast<std::size_t>(entry.op);
    if (number >= is_known.size() || !is_known[number]) return -EINVAL;
    if ((entry.flags & ~known_flags) != 0) return -EINVAL;
    if ((entry.ioprio & ~known_ioprio(entry.op)) != 0) return -EINVAL;
    if (needs_descriptor(entry.op) && entry.fd < 0) return -EBADF;
    switch (entry.op) {
        case opcode::accept:
        case opcode::socket: return make_up_fd();
        case opcode::send:
        case opcode::recv:
        case opcode::sendmsg:
        case opcode::recvmsg: return of_transfer(entry);
        case opcode::send_zc:
            return (entry.ioprio & transfer_flag::fixed_buffer) != 0 ? of_fixed(entry)
                                                                     : of_transfer(entry);
        case opcode::read_fixed:
        case opcode::write_fixed: return of_fixed(entry);
        case opcode::close: return close(entry.fd);
        case opcode::shutdown: return shutdown(entry.fd, entry.len);
        case opcode::poll_add: return static_cast<std::int32_t>(entry.op_flags);
        // Nothing is ever in flight.
        case opcode::async_cancel:
            if ((entry.op_flags & ~known_cancel_flags) != 0) return -EINVAL;
            return (entry.op_flags & cancel_flag::all) != 0 ? 0 : -ENOENT;
        case opcode::poll_remove:
        case opcode::timeout_remove: return -ENOENT;
        case opcode::timeout: return -ETIME;
        case opcode::link_timeout: return linked ? -ECANCELED : -EINVAL;
        default: return 0;
    }
}

std::int32_t results::of_transfer(const sqe& entry) const noexcept {
    if (entry.op == opcode::sendmsg || entry.op == opcode::recvmsg) {
        return message_bytes(entry.addr);
    }
    constexpr std::uint32_t most = std::numeric_limits<std::int32_t>::max();
    return static_cast<std::int32_t>(entry.len < most ? entry.len : most);
}

std::int32_t results::of_fixed(const sqe& entry) const noexcept {
    if (!pinned_.holds(entry.buf_index, entry.addr, entry.len)) return -EFAULT;
    return of_transfer(entry);
}

std::int32_t results::make_up_fd() noexcept {
    const std::int32_t made = next_fd_;
    next_fd_ = made == std::numeric_limits<std::int32_t>::max() ? made_up_fd_min : made + 1;
    return made;
}

int results::close(std::int32_t fd) noexcept {
    return fd >= made_up_fd_min ? 0 : platform::close_socket(fd);
}

int results::shutdown(std::int32_t fd, std::uint32_t how) noexcept {
    if (how > static_cast<std::uint32_t>(shutdown_how::both)) return -EINVAL;
    return fd >= made_up_fd_min ? 0 : platform::shutdown_socket(fd, static_cast<int>(how));
}

bool breaks_link(const sqe& entry, std::int32_t res) noexcept {
    if (res >= 0 || (entry.flags & sqe_flag::io_hardlink) != 0) return false;
    if (entry.op == opcode::link_timeout) return false;
    const bool time_is_up = entry.op == opcode::timeout && res == -ETIME;
    return !time_is_up || (entry.op_flags & timeout_flag::etime_success) == 0;
}

}  // namespace ioring::backends::null
