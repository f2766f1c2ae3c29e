// SPDX-License-Identifier: MIT
// names.cpp - the tables of names, and entries put together from them.
#include "ioring/names.hpp"

#include <array>
#include <charconv>
#include <span>

#include "base/error_words.hpp"

namespace ioring {
namespace {

struct flag_name {
    std::uint32_t bit;
    std::string_view name;
};

constexpr std::array sqe_flags{
    flag_name{sqe_flag::fixed_file, "fixed_file"},
    flag_name{sqe_flag::io_drain, "io_drain"},
    flag_name{sqe_flag::io_link, "io_link"},
    flag_name{sqe_flag::io_hardlink, "io_hardlink"},
    flag_name{sqe_flag::async, "async"},
    flag_name{sqe_flag::buffer_select, "buffer_select"},
    flag_name{sqe_flag::cqe_skip_success, "cqe_skip_success"},
};

constexpr std::array accept_flags{
    flag_name{accept_flag::multishot, "multishot"},
    flag_name{accept_flag::dont_wait, "dont_wait"},
    flag_name{accept_flag::poll_first, "poll_first"},
};

constexpr std::array transfer_flags{
    flag_name{transfer_flag::poll_first, "poll_first"},
    flag_name{transfer_flag::multishot, "multishot"},
    flag_name{transfer_flag::fixed_buffer, "fixed_buffer"},
    flag_name{transfer_flag::zc_report_usage, "zc_report_usage"},
    flag_name{transfer_flag::bundle, "bundle"},
    flag_name{transfer_flag::send_vectorized, "send_vectorized"},
};

constexpr std::array msg_flags{
    flag_name{msg_flag::peek, "peek"},           flag_name{msg_flag::trunc, "trunc"},
    flag_name{msg_flag::dont_wait, "dont_wait"}, flag_name{msg_flag::wait_all, "wait_all"},
    flag_name{msg_flag::no_signal, "no_signal"}, flag_name{msg_flag::more, "more"},
};

constexpr std::array socket_flags{
    flag_name{socket_flag::nonblock, "nonblock"},
    flag_name{socket_flag::cloexec, "cloexec"},
};

constexpr std::array poll_events{
    flag_name{poll_event::in, "in"},       flag_name{poll_event::pri, "pri"},
    flag_name{poll_event::out, "out"},     flag_name{poll_event::err, "err"},
    flag_name{poll_event::hup, "hup"},     flag_name{poll_event::nval, "nval"},
    flag_name{poll_event::rdhup, "rdhup"},
};

constexpr std::array timeout_flags{
    flag_name{timeout_flag::absolute, "absolute"},
    flag_name{timeout_flag::update, "update"},
    flag_name{timeout_flag::boottime, "boottime"},
    flag_name{timeout_flag::realtime, "realtime"},
    flag_name{timeout_flag::link_timeout_update, "link_timeout_update"},
    flag_name{timeout_flag::etime_success, "etime_success"},
    flag_name{timeout_flag::multishot, "multishot"},
};

constexpr std::array cancel_flags{
    flag_name{cancel_flag::all, "all"},
    flag_name{cancel_flag::by_fd, "by_fd"},
    flag_name{cancel_flag::any, "any"},
    flag_name{cancel_flag::fixed_fd, "fixed_fd"},
    flag_name{cancel_flag::by_user_data, "by_user_data"},
    flag_name{cancel_flag::by_opcode, "by_opcode"},
};

constexpr std::array msg_ring_flags{
    flag_name{msg_ring_flag::cqe_skip, "cqe_skip"},
    flag_name{msg_ring_flag::flags_pass, "flags_pass"},
};

constexpr std::array cqe_flags{
    flag_name{cqe_flag::buffer, "buffer"},
    flag_name{cqe_flag::more, "more"},
    flag_name{cqe_flag::sock_nonempty, "sock_nonempty"},
    flag_name{cqe_flag::notification, "notification"},
    flag_name{cqe_flag::buffer_more, "buffer_more"},
};

std::string hexadecimal(std::uint64_t number) {
    std::array<char, 16> digits{};
    const auto end =
        std::to_chars(digits.data(), digits.data() + digits.size(), number, /*base=*/16).ptr;
    return "0x" + std::string{digits.data(), end};
}

std::string join(std::span<const flag_name> names, std::uint32_t bits) {
    std::string text;
    const auto append = [&text](std::string_view name) {
        if (!text.empty()) text += '|';
        text += name;
    };
    for (const flag_name& each : names) {
        if ((bits & each.bit) == 0) continue;
        append(each.name);
        bits &= ~each.bit;
    }
    if (bits != 0) append(hexadecimal(bits));
    return text;
}

void append_field(std::string& text, std::string_view name, const std::string& value) {
    if (value.empty()) return;
    text.append(" ").append(name).append(" ").append(value);
}

std::string nonzero(std::uint64_t number) {
    return number == 0 ? std::string{} : std::to_string(number);
}

// Operations whose `addr` is the user_data of another.
bool names_a_target(opcode op) noexcept {
    return op == opcode::async_cancel || op == opcode::poll_remove || op == opcode::timeout_remove;
}

}  // namespace

std::string_view to_string(opcode op) noexcept {
    switch (op) {
        case opcode::nop: return "nop";
        case opcode::readv: return "readv";
        case opcode::writev: return "writev";
        case opcode::read_fixed: return "read_fixed";
        case opcode::write_fixed: return "write_fixed";
        case opcode::poll_add: return "poll_add";
        case opcode::poll_remove: return "poll_remove";
        case opcode::sendmsg: return "sendmsg";
        case opcode::recvmsg: return "recvmsg";
        case opcode::timeout: return "timeout";
        case opcode::timeout_remove: return "timeout_remove";
        case opcode::accept: return "accept";
        case opcode::async_cancel: return "async_cancel";
        case opcode::link_timeout: return "link_timeout";
        case opcode::connect: return "connect";
        case opcode::close: return "close";
        case opcode::read: return "read";
        case opcode::write: return "write";
        case opcode::send: return "send";
        case opcode::recv: return "recv";
        case opcode::provide_buffers: return "provide_buffers";
        case opcode::remove_buffers: return "remove_buffers";
        case opcode::shutdown: return "shutdown";
        case opcode::msg_ring: return "msg_ring";
        case opcode::socket: return "socket";
        case opcode::uring_cmd: return "uring_cmd";
        case opcode::send_zc: return "send_zc";
        case opcode::sendmsg_zc: return "sendmsg_zc";
        case opcode::read_multishot: return "read_multishot";
        case opcode::bind: return "bind";
        case opcode::listen: return "listen";
    }
    return "?";
}

std::string sqe_flag_names(std::uint8_t flags) { return join(sqe_flags, flags); }

std::string ioprio_names(opcode op, std::uint16_t ioprio) {
    switch (op) {
        case opcode::accept: return join(accept_flags, ioprio);
        case opcode::send:
        case opcode::recv:
        case opcode::sendmsg:
        case opcode::recvmsg:
        case opcode::send_zc:
        case opcode::sendmsg_zc: return join(transfer_flags, ioprio);
        default: return join({}, ioprio);
    }
}

std::string op_flag_names(opcode op, std::uint32_t op_flags) {
    switch (op) {
        case opcode::send:
        case opcode::recv:
        case opcode::sendmsg:
        case opcode::recvmsg:
        case opcode::send_zc:
        case opcode::sendmsg_zc: return join(msg_flags, op_flags);
        case opcode::poll_add:
        case opcode::poll_remove: return join(poll_events, op_flags);
        case opcode::timeout:
        case opcode::timeout_remove:
        case opcode::link_timeout: return join(timeout_flags, op_flags);
        case opcode::accept: return join(socket_flags, op_flags);
        case opcode::async_cancel: return join(cancel_flags, op_flags);
        case opcode::msg_ring: return join(msg_ring_flags, op_flags);
        default: return join({}, op_flags);
    }
}

std::string cqe_flag_names(std::uint32_t flags) {
    constexpr std::uint32_t lower_half = (1U << cqe_flag::buffer_shift) - 1;
    return join(cqe_flags, flags & lower_half);
}

std::string to_string(const sqe& entry) {
    std::string text{to_string(entry.op)};
    if (text == "?") text = "opcode " + std::to_string(static_cast<unsigned>(entry.op));
    if (entry.fd != -1) append_field(text, "fd", std::to_string(entry.fd));
    append_field(text, "len", nonzero(entry.len));
    if (names_a_target(entry.op)) append_field(text, "target", hexadecimal(entry.addr));
    append_field(text, "flags", sqe_flag_names(entry.flags));
    append_field(text, "ioprio", ioprio_names(entry.op, entry.ioprio));
    append_field(text, "op_flags", op_flag_names(entry.op, entry.op_flags));
    const bool selects = (entry.flags & sqe_flag::buffer_select) != 0;
    append_field(text, selects ? "group" : "buf_index",
                 selects ? std::to_string(entry.buf_index) : nonzero(entry.buf_index));
    append_field(text, "personality", nonzero(entry.personality));
    append_field(text, "file_index", nonzero(static_cast<std::uint32_t>(entry.file_index)));
    append_field(text, "user_data", hexadecimal(entry.user_data));
    return text;
}

std::string to_string(const cqe& done) {
    std::string text = "user_data " + hexadecimal(done.user_data);
    append_field(text, "res", std::to_string(done.res));
    if (done.res < 0) text += " (" + detail::error_words(-done.res) + ")";
    append_field(text, "flags", cqe_flag_names(done.flags));
    const std::uint32_t upper_half = done.flags >> cqe_flag::buffer_shift;
    if (done.has_buffer() || upper_half != 0) {
        append_field(text, "buffer", std::to_string(upper_half));
    }
    return text;
}

}  // namespace ioring
