// SPDX-License-Identifier: MIT
// validate.cpp - the checks of each opcode.
#include "backend/emulation/validate.hpp"

#include <bit>
#include <cerrno>

#include "base/pointer.hpp"

namespace ioring::backends::emulation {
namespace {

// io_drain is not among them: no user-space kernel honours it.
constexpr std::uint8_t known_flags = sqe_flag::fixed_file | sqe_flag::io_link |
                                     sqe_flag::io_hardlink | sqe_flag::async |
                                     sqe_flag::buffer_select | sqe_flag::cqe_skip_success;
constexpr std::uint32_t pieces_max = 1024;        // UIO_MAXIOV.
constexpr std::uint32_t address_bytes_max = 128;  // sizeof(sockaddr_storage) on Linux.
constexpr std::uint32_t socket_type_mask = 0xf;
constexpr std::uint32_t clocks = timeout_flag::boottime | timeout_flag::realtime;
constexpr std::uint32_t socket_flags = socket_flag::cloexec | socket_flag::nonblock;

bool only(std::uint32_t value, std::uint32_t known) noexcept { return (value & ~known) == 0; }

std::int32_t valid_if(bool condition) noexcept { return condition ? 0 : -EINVAL; }

std::int32_t check_time(std::uint64_t address) noexcept {
    if (address == 0) return -EFAULT;
    const auto& time = *detail::pointer_of<const kernel_timespec>(address);
    return valid_if(time.tv_sec >= 0 && time.tv_nsec >= 0);
}

std::int32_t check_address(const sqe& entry) noexcept {
    if (entry.off > address_bytes_max) return -EINVAL;
    return entry.off != 0 && entry.addr == 0 ? -EFAULT : 0;
}

std::int32_t check_accept(const sqe& entry) noexcept {
    constexpr std::uint16_t known =
        accept_flag::multishot | accept_flag::dont_wait | accept_flag::poll_first;
    return valid_if(entry.len == 0 && entry.buf_index == 0 && entry.file_index == 0 &&
                    only(entry.ioprio, known) && only(entry.op_flags, socket_flags));
}

std::int32_t check_recv(const sqe& entry) noexcept {
    constexpr std::uint16_t known = transfer_flag::poll_first | transfer_flag::multishot;
    if (entry.off != 0 || entry.file_index != 0 || !only(entry.ioprio, known)) return -EINVAL;
    const bool selects = (entry.flags & sqe_flag::buffer_select) != 0;
    if ((entry.ioprio & transfer_flag::multishot) == 0) return 0;
    return valid_if(selects && (entry.op_flags & msg_flag::wait_all) == 0);
}

std::int32_t check_message(const sqe& entry) noexcept {
    if ((entry.flags & sqe_flag::buffer_select) != 0) return -EINVAL;
    if (entry.off != 0 || entry.file_index != 0) return -EINVAL;
    if (!only(entry.ioprio, transfer_flag::poll_first)) return -EINVAL;
    return entry.addr == 0 ? -EFAULT : 0;
}

std::int32_t check_send(const sqe& entry) noexcept {
    constexpr std::uint16_t known = transfer_flag::poll_first | transfer_flag::send_vectorized;
    if ((entry.flags & sqe_flag::buffer_select) != 0) return -EINVAL;
    if (!only(entry.ioprio, known)) return -EINVAL;
    const bool vectorized = (entry.ioprio & transfer_flag::send_vectorized) != 0;
    if (vectorized && entry.len > pieces_max) return -EINVAL;
    return vectorized && entry.len != 0 && entry.addr == 0 ? -EFAULT : 0;
}

std::int32_t check_send_zc(const sqe& entry) noexcept {
    constexpr std::uint16_t known =
        transfer_flag::poll_first | transfer_flag::fixed_buffer | transfer_flag::zc_report_usage;
    return valid_if((entry.flags & sqe_flag::cqe_skip_success) == 0 &&
                    (entry.flags & sqe_flag::buffer_select) == 0 && only(entry.ioprio, known));
}

std::int32_t check_poll_add(const sqe& entry) noexcept {
    if (entry.buf_index != 0 || entry.off != 0 || entry.addr != 0) return -EINVAL;
    if (!only(entry.len, poll_flag::multishot)) return -EINVAL;
    const bool silent = (entry.flags & sqe_flag::cqe_skip_success) != 0;
    return valid_if(entry.len == 0 || !silent);
}

std::int32_t check_poll_remove(const sqe& entry) noexcept {
    constexpr std::uint32_t known =
        poll_flag::multishot | poll_flag::update_events | poll_flag::update_user_data;
    if (entry.buf_index != 0 || entry.file_index != 0 || !only(entry.len, known)) return -EINVAL;
    if (entry.len == poll_flag::multishot) return -EINVAL;  // Nothing to update.
    const bool new_user_data = (entry.len & poll_flag::update_user_data) != 0;
    const bool new_events = (entry.len & poll_flag::update_events) != 0;
    return valid_if((new_user_data || entry.off == 0) && (new_events || entry.op_flags == 0));
}

std::int32_t check_timeout(const sqe& entry) noexcept {
    constexpr std::uint32_t known =
        timeout_flag::absolute | clocks | timeout_flag::etime_success | timeout_flag::multishot;
    if (entry.buf_index != 0 || entry.len != 1 || entry.file_index != 0) return -EINVAL;
    if (entry.op == opcode::link_timeout && entry.off != 0) return -EINVAL;
    if (!only(entry.op_flags, known)) return -EINVAL;
    constexpr std::uint32_t contradiction = timeout_flag::multishot | timeout_flag::absolute;
    if ((entry.op_flags & contradiction) == contradiction) return -EINVAL;
    if ((entry.op_flags & clocks) == clocks) return -EINVAL;
    return check_time(entry.addr);
}

std::int32_t check_timeout_remove(const sqe& entry) noexcept {
    constexpr std::uint32_t updates = timeout_flag::update | timeout_flag::link_timeout_update;
    if (entry.buf_index != 0 || entry.len != 0 || entry.file_index != 0) return -EINVAL;
    if ((entry.op_flags & updates) == 0) return valid_if(entry.op_flags == 0);
    if ((entry.op_flags & clocks) == clocks) return -EINVAL;
    if (!only(entry.op_flags, updates | timeout_flag::absolute | clocks)) return -EINVAL;
    return check_time(entry.off);
}

std::int32_t check_cancel(const sqe& entry) noexcept {
    constexpr std::uint32_t known = cancel_flag::all | cancel_flag::by_fd | cancel_flag::any |
                                    cancel_flag::fixed_fd | cancel_flag::by_user_data |
                                    cancel_flag::by_opcode;
    if (entry.off != 0 || entry.file_index != 0) return -EINVAL;
    if (!only(entry.op_flags, known)) return -EINVAL;
    const bool picks = (entry.op_flags & (cancel_flag::by_fd | cancel_flag::by_opcode)) != 0;
    return valid_if(!picks || (entry.op_flags & cancel_flag::any) == 0);
}

std::int32_t check_msg_ring(const sqe& entry) noexcept {
    constexpr std::uint32_t known = msg_ring_flag::cqe_skip | msg_ring_flag::flags_pass;
    return valid_if(entry.buf_index == 0 && only(entry.op_flags, known));
}

std::int32_t check_opcode(const sqe& entry) noexcept {
    const bool plain = entry.buf_index == 0 && entry.file_index == 0;
    switch (entry.op) {
        case opcode::nop: return valid_if(entry.op_flags == 0);
        case opcode::accept: return check_accept(entry);
        case opcode::recv: return check_recv(entry);
        case opcode::recvmsg: return check_message(entry);
        case opcode::send: return check_send(entry);
        case opcode::sendmsg: return check_message(entry);
        case opcode::send_zc: return check_send_zc(entry);
        case opcode::connect:
        case opcode::bind:
            if (entry.len != 0 || !plain || entry.op_flags != 0) return -EINVAL;
            return check_address(entry);
        case opcode::listen:
            return valid_if(entry.addr == 0 && entry.off == 0 && plain && entry.op_flags == 0);
        case opcode::shutdown:
            return valid_if(entry.off == 0 && entry.addr == 0 && plain && entry.op_flags == 0);
        case opcode::close:
            return valid_if(entry.off == 0 && entry.addr == 0 && entry.len == 0 && plain &&
                            entry.op_flags == 0);
        case opcode::socket:
            if (entry.addr != 0 || entry.op_flags != 0 || !plain || entry.off >> 32U != 0) {
                return -EINVAL;
            }
            return valid_if(
                only(static_cast<std::uint32_t>(entry.off) & ~socket_type_mask, socket_flags));
        case opcode::poll_add: return check_poll_add(entry);
        case opcode::poll_remove: return check_poll_remove(entry);
        case opcode::timeout:
        case opcode::link_timeout: return check_timeout(entry);
        case opcode::timeout_remove: return check_timeout_remove(entry);
        case opcode::async_cancel: return check_cancel(entry);
        case opcode::msg_ring: return check_msg_ring(entry);
        case opcode::read_fixed:
        case opcode::write_fixed: return 0;
        default: return -EINVAL;
    }
}

bool has_priority(opcode op) noexcept {
    switch (op) {
        case opcode::accept:
        case opcode::recv:
        case opcode::recvmsg:
        case opcode::send:
        case opcode::sendmsg:
        case opcode::send_zc: return true;
        default: return false;
    }
}

bool may_select_buffer(opcode op) noexcept {
    return op == opcode::recv || op == opcode::recvmsg || op == opcode::send;
}

}  // namespace

probe_result probe() noexcept {
    probe_result known;
    for (const opcode op : {opcode::nop,      opcode::read_fixed,   opcode::write_fixed,
                            opcode::poll_add, opcode::poll_remove,  opcode::sendmsg,
                            opcode::recvmsg,  opcode::timeout,      opcode::timeout_remove,
                            opcode::accept,   opcode::async_cancel, opcode::link_timeout,
                            opcode::connect,  opcode::close,        opcode::send,
                            opcode::recv,     opcode::shutdown,     opcode::msg_ring,
                            opcode::socket,   opcode::send_zc,      opcode::bind,
                            opcode::listen}) {
        known.opcodes.set(static_cast<std::size_t>(op));
    }
    for (const feature which :
         {feature::accept_multishot, feature::recv_multishot, feature::cancel_any,
          feature::poll_multishot, feature::timeout_multishot, feature::buffer_rings,
          feature::incremental_buffers, feature::send_vectorized, feature::msg_ring,
          feature::single_issuer, feature::deferred_taskrun}) {
        known.features.set(static_cast<std::size_t>(which));
    }
    return known;
}

std::int32_t validate(const sqe& entry) noexcept {
    if (!only(entry.flags, known_flags)) return -EINVAL;
    if ((entry.flags & sqe_flag::buffer_select) != 0 && !may_select_buffer(entry.op)) {
        return -EOPNOTSUPP;
    }
    if (entry.ioprio != 0 && !has_priority(entry.op)) return -EINVAL;
    if (entry.personality != 0) return -EINVAL;
    if (entry.op == opcode::close && (entry.flags & sqe_flag::fixed_file) != 0) return -EBADF;
    return check_opcode(entry);
}

}  // namespace ioring::backends::emulation
