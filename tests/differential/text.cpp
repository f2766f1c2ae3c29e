// SPDX-License-Identifier: MIT
// text.cpp - an operation as a line that a person can turn into code.
#include <array>
#include <cstdio>
#include <string_view>

#include "differential/runner.hpp"

namespace ioring::differential {
namespace {

struct named_bit {
    std::uint32_t bit;
    std::string_view name;
};

constexpr std::array entry_bits{
    named_bit{sqe_flag::fixed_file, "fixed_file"},
    named_bit{sqe_flag::io_link, "io_link"},
    named_bit{sqe_flag::io_hardlink, "io_hardlink"},
    named_bit{sqe_flag::async, "async"},
    named_bit{sqe_flag::buffer_select, "buffer_select"},
    named_bit{sqe_flag::cqe_skip_success, "cqe_skip_success"},
};
constexpr std::array transfer_bits{
    named_bit{transfer_flag::poll_first, "poll_first"},
    named_bit{transfer_flag::multishot, "multishot"},
    named_bit{transfer_flag::zc_report_usage, "zc_report_usage"},
    named_bit{transfer_flag::send_vectorized, "send_vectorized"},
};
constexpr std::array accept_bits{
    named_bit{accept_flag::multishot, "multishot"},
    named_bit{accept_flag::dont_wait, "dont_wait"},
    named_bit{accept_flag::poll_first, "poll_first"},
};
constexpr std::array message_bits{
    named_bit{msg_flag::peek, "peek"},           named_bit{msg_flag::trunc, "trunc"},
    named_bit{msg_flag::dont_wait, "dont_wait"}, named_bit{msg_flag::wait_all, "wait_all"},
    named_bit{msg_flag::no_signal, "no_signal"},
};
constexpr std::array cancel_bits{
    named_bit{cancel_flag::all, "all"},
    named_bit{cancel_flag::by_fd, "by_fd"},
    named_bit{cancel_flag::any, "any"},
    named_bit{cancel_flag::by_opcode, "by_opcode"},
};
constexpr std::array poll_bits{
    named_bit{poll_event::in, "in"},   named_bit{poll_event::pri, "pri"},
    named_bit{poll_event::out, "out"}, named_bit{poll_event::err, "err"},
    named_bit{poll_event::hup, "hup"}, named_bit{poll_event::rdhup, "rdhup"},
};
constexpr std::array timeout_bits{
    named_bit{timeout_flag::absolute, "absolute"},
    named_bit{timeout_flag::update, "update"},
    named_bit{timeout_flag::boottime, "boottime"},
    named_bit{timeout_flag::realtime, "realtime"},
    named_bit{timeout_flag::etime_success, "etime_success"},
    named_bit{timeout_flag::multishot, "multishot"},
};

std::string names_of(std::uint32_t value, std::span<const named_bit> bits) {
    std::string out;
    for (const named_bit& each : bits) {
        if ((value & each.bit) == 0) continue;
        value &= ~each.bit;
        if (!out.empty()) out += " | ";
        out += each.name;
    }
    if (value != 0) {
        if (!out.empty()) out += " | ";
        out += std::to_string(value);
    }
    return out.empty() ? "0" : out;
}

std::span<const named_bit> op_bits_of(opcode op) {
    switch (op) {
        case opcode::async_cancel: return cancel_bits;
        case opcode::poll_add:
        case opcode::poll_remove: return poll_bits;
        case opcode::timeout:
        case opcode::timeout_remove:
        case opcode::link_timeout: return timeout_bits;
        default: return message_bits;
    }
}

}  // namespace

std::string runner::describe(const operation& which) const {
    const sqe& entry = which.entry;
    std::string out = "prep_" + std::string{to_string(which.what)} + "(sqe";
    if (which.socket != socket_slot::none) out += ", s" + std::to_string(which.socket);
    if (which.bytes > 0) out += ", bytes " + std::to_string(which.bytes);
    if (which.group >= 0) out += ", group " + std::to_string(which.group);
    if (entry.op == opcode::async_cancel || entry.op == opcode::poll_remove ||
        entry.op == opcode::timeout_remove) {
        out += ", target " + std::to_string(entry.addr);
    }
    if (entry.op == opcode::async_cancel || entry.op == opcode::poll_remove ||
        entry.op == opcode::shutdown) {
        out += ", len " + std::to_string(entry.len);
    }
    const auto* const time = reinterpret_cast<const kernel_timespec*>(
        entry.op == opcode::timeout_remove ? entry.off : entry.addr);
    const bool timed =
        entry.op == opcode::timeout || entry.op == opcode::link_timeout ||
        ((entry.op_flags & timeout_flag::update) != 0 && entry.op == opcode::timeout_remove);
    if (timed && time != nullptr) {
        out += ", time " + std::to_string(time->tv_sec) + " s " + std::to_string(time->tv_nsec) +
               " ns";
    }
    if (entry.op == opcode::timeout) out += ", completions " + std::to_string(entry.off);
    if (which.target != 0) out += ", target " + std::to_string(which.target);
    out += ", " + names_of(entry.op_flags, op_bits_of(entry.op)) + ", tag " +
           std::to_string(entry.user_data) + ");";
    if (entry.ioprio != 0) {
        const bool accepts = entry.op == opcode::accept;
        out += " sqe.ioprio = " +
               names_of(entry.ioprio, accepts ? std::span<const named_bit>{accept_bits}
                                              : std::span<const named_bit>{transfer_bits}) +
               ";";
    }
    if (entry.flags != 0) out += " sqe.flags = " + names_of(entry.flags, entry_bits) + ";";
    if (which.misuse != nullptr) out += "  // " + std::string{which.misuse};
    return out;
}

}  // namespace ioring::differential
