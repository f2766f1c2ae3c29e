// SPDX-License-Identifier: MIT
// coverage.cpp - the names of flags and results, and the table.
#include "differential/coverage.hpp"

#include <cerrno>
#include <cstdio>
#include <initializer_list>
#include <string_view>

namespace ioring::differential {
namespace {

enum class field : std::uint8_t { none, flags, ioprio, op_flags, len };

struct flag_name {
    std::string_view name;
    field where;
    std::uint32_t bit;
};

// The first is every entry, whatever its flags; the rest are looked up by what the opcode means.
constexpr std::array<flag_name, 36> flag_names{{
    {"(all)", field::none, 0},
    {"io_link", field::flags, sqe_flag::io_link},
    {"io_hardlink", field::flags, sqe_flag::io_hardlink},
    {"async", field::flags, sqe_flag::async},
    {"skip_success", field::flags, sqe_flag::cqe_skip_success},
    {"buffer_select", field::flags, sqe_flag::buffer_select},
    // Transfers: 6 to 14.
    {"poll_first", field::ioprio, transfer_flag::poll_first},
    {"multishot", field::ioprio, transfer_flag::multishot},
    {"report_usage", field::ioprio, transfer_flag::zc_report_usage},
    {"vectorized", field::ioprio, transfer_flag::send_vectorized},
    {"dont_wait", field::op_flags, msg_flag::dont_wait},
    {"wait_all", field::op_flags, msg_flag::wait_all},
    {"no_signal", field::op_flags, msg_flag::no_signal},
    {"peek", field::op_flags, msg_flag::peek},
    {"trunc", field::op_flags, msg_flag::trunc},
    // Accept: 15 to 19.
    {"multishot", field::ioprio, accept_flag::multishot},
    {"dont_wait", field::ioprio, accept_flag::dont_wait},
    {"poll_first", field::ioprio, accept_flag::poll_first},
    {"cloexec", field::op_flags, socket_flag::cloexec},
    {"nonblock", field::op_flags, socket_flag::nonblock},
    // Cancel: 20 to 23.
    {"all", field::op_flags, cancel_flag::all},
    {"by_fd", field::op_flags, cancel_flag::by_fd},
    {"any", field::op_flags, cancel_flag::any},
    {"by_opcode", field::op_flags, cancel_flag::by_opcode},
    // Polls: 24 to 29.
    {"multishot", field::len, poll_flag::multishot},
    {"update_events", field::len, poll_flag::update_events},
    {"update_user_data", field::len, poll_flag::update_user_data},
    {"in", field::op_flags, poll_event::in},
    {"out", field::op_flags, poll_event::out},
    {"rdhup", field::op_flags, poll_event::rdhup},
    // Timeouts: 30 to 35.
    {"absolute", field::op_flags, timeout_flag::absolute},
    {"update", field::op_flags, timeout_flag::update},
    {"boottime", field::op_flags, timeout_flag::boottime},
    {"realtime", field::op_flags, timeout_flag::realtime},
    {"etime_success", field::op_flags, timeout_flag::etime_success},
    {"multishot", field::op_flags, timeout_flag::multishot},
}};
static_assert(flag_names.size() <= coverage::flags_max);

struct opcode_name {
    opcode op;
    std::string_view name;
    // Of flag_names beside the first six, and of result_names: what programs are to reach.
    std::initializer_list<std::size_t> flags;
    std::initializer_list<std::string_view> results;
};

constexpr std::array<std::string_view, 34> result_names{
    "zero",       "bytes",       "short",         "mask",
    "count",      "descriptor",  "more",          "notification",
    "canceled",   "again",       "bad_fd",        "invalid",
    "no_buffers", "refused",     "reset",         "pipe",
    "not_found",  "time",        "not_connected", "not_socket",
    "fault",      "unsupported", "connected",     "in_use",
    "no_address", "no_family",   "already",       "not_supported_proto",
    "too_many",   "no_memory",   "access",        "overflow",
    "bad_state",  "other",
};
static_assert(result_names.size() <= coverage::results_max);

const std::array<opcode_name, 24>& opcodes() {
    static const std::array<opcode_name, 24> all{{
        {opcode::nop, "nop", {}, {"zero", "invalid", "canceled"}},
        {opcode::recv,
         "recv",
         {6, 7, 10, 11, 13, 14},
         {"zero", "bytes", "short", "more", "canceled", "again", "bad_fd", "invalid", "no_buffers",
          "reset", "not_connected", "not_socket"}},
        {opcode::recvmsg,
         "recvmsg",
         {6, 10, 11, 13, 14},
         {"zero", "bytes", "short", "canceled", "again", "reset"}},
        {opcode::send,
         "send",
         {6, 9, 10, 11, 12},
         {"bytes", "short", "canceled", "again", "bad_fd", "reset", "pipe", "not_connected"}},
        {opcode::sendmsg,
         "sendmsg",
         {6, 10, 11, 12},
         {"bytes", "short", "canceled", "again", "pipe"}},
        {opcode::send_zc,
         "send_zc",
         {6, 8, 10, 11, 12},
         {"bytes", "notification", "canceled", "pipe"}},
        {opcode::accept,
         "accept",
         {15, 16, 17, 18, 19},
         {"descriptor", "more", "canceled", "again", "invalid", "bad_fd"}},
        {opcode::connect, "connect", {}, {"zero", "refused", "connected", "canceled", "invalid"}},
        {opcode::shutdown, "shutdown", {}, {"zero", "not_connected", "invalid", "canceled"}},
        {opcode::close, "close", {}, {"zero", "bad_fd", "canceled"}},
        {opcode::async_cancel,
         "async_cancel",
         {20, 21, 22, 23},
         {"zero", "count", "not_found", "invalid", "bad_fd"}},
        {opcode::poll_add,
         "poll_add",
         {24, 27, 28, 29},
         {"mask", "more", "canceled", "invalid", "bad_fd"}},
        {opcode::poll_remove, "poll_remove", {24, 25, 26}, {"zero", "not_found", "invalid"}},
        {opcode::timeout,
         "timeout",
         {30, 32, 33, 34, 35},
         {"zero", "time", "more", "canceled", "invalid", "fault"}},
        {opcode::timeout_remove, "timeout_remove", {31}, {"zero", "not_found"}},
        {opcode::link_timeout, "link_timeout", {}, {"time", "canceled", "invalid"}},
        {opcode::msg_ring, "msg_ring", {}, {"zero", "bad_state", "canceled"}},
        {opcode::socket, "socket", {}, {"descriptor", "no_family", "canceled"}},
        {opcode::bind, "bind", {}, {"zero", "invalid"}},
        {opcode::listen, "listen", {}, {"zero", "invalid"}},
        {opcode::read_fixed, "read_fixed", {}, {"fault", "bad_fd"}},
        {opcode::write_fixed, "write_fixed", {}, {"fault", "bad_fd"}},
        {opcode::readv, "readv", {}, {}},
        {opcode::writev, "writev", {}, {}},
    }};
    return all;
}

std::string_view name_of_error(int error) {
    switch (error) {
        case ECANCELED: return "canceled";
        case EAGAIN: return "again";
        case EBADF: return "bad_fd";
        case EINVAL: return "invalid";
        case ENOBUFS: return "no_buffers";
        case ECONNREFUSED: return "refused";
        case ECONNRESET: return "reset";
        case EPIPE: return "pipe";
        case ENOENT: return "not_found";
        case ETIME: return "time";
        case ENOTCONN: return "not_connected";
        case ENOTSOCK: return "not_socket";
        case EFAULT: return "fault";
        case EOPNOTSUPP: return "unsupported";
        case EISCONN: return "connected";
        case EADDRINUSE: return "in_use";
        case EADDRNOTAVAIL: return "no_address";
        case EAFNOSUPPORT: return "no_family";
        case EALREADY: return "already";
        case EPROTONOSUPPORT: return "not_supported_proto";
        case EMFILE: return "too_many";
        case ENOMEM: return "no_memory";
        case EACCES: return "access";
        case EOVERFLOW: return "overflow";
        case EBADFD: return "bad_state";
        default: return "other";
    }
}

std::string_view name_of_success(const sqe& entry, const cqe& done, std::uint32_t bytes) {
    if ((done.flags & cqe_flag::notification) != 0) return "notification";
    switch (entry.op) {
        case opcode::accept: return done.more() ? "more" : "descriptor";
        case opcode::socket: return "descriptor";
        case opcode::poll_add: return done.more() ? "more" : "mask";
        case opcode::async_cancel: return done.res > 0 ? "count" : "zero";
        case opcode::recv:
            if (done.more()) return "more";
            [[fallthrough]];
        case opcode::recvmsg:
        case opcode::send:
        case opcode::sendmsg:
        case opcode::send_zc:
            if (done.res == 0) return "zero";
            return static_cast<std::uint32_t>(done.res) < bytes ? "short" : "bytes";
        default: return done.res > 0 ? "count" : "zero";
    }
}

std::size_t result_of(const sqe& entry, const cqe& done, std::uint32_t bytes) {
    std::string_view name;
    if (entry.op == opcode::timeout && done.more()) {
        name = "more";
    } else {
        name = done.res < 0 && (done.flags & cqe_flag::notification) == 0
                   ? name_of_error(-done.res)
                   : name_of_success(entry, done, bytes);
    }
    for (std::size_t index = 0; index < result_names.size(); ++index) {
        if (result_names[index] == name) return index;
    }
    return result_names.size() - 1;
}

std::uint32_t value_of(const sqe& entry, field where) {
    switch (where) {
        case field::flags: return entry.flags;
        case field::ioprio: return entry.ioprio;
        case field::op_flags: return entry.op_flags;
        case field::len: return entry.len;
        case field::none: break;
    }
    return 0;
}

constexpr std::size_t common_flags = 5;  // Those that any entry may carry.

std::string padded(std::string_view text, std::size_t columns) {
    std::string out{text};
    out.resize(std::max(columns, out.size()), ' ');
    return out;
}

}  // namespace

void coverage::count(const sqe& entry, const cqe& done, std::uint32_t bytes) noexcept {
    const auto op = static_cast<std::size_t>(entry.op);
    if (op >= opcodes_max) return;
    const std::size_t result = result_of(entry, done, bytes);
    const auto add = [&](std::size_t flag) {
        counts_[op][flag][result].fetch_add(1, std::memory_order_relaxed);
    };
    add(0);
    const auto test = [&](std::size_t flag) {
        const flag_name& which = flag_names[flag];
        if ((value_of(entry, which.where) & which.bit) != 0) add(flag);
    };
    for (std::size_t flag = 1; flag <= common_flags; ++flag) test(flag);
    for (const opcode_name& each : opcodes()) {
        if (each.op != entry.op) continue;
        for (const std::size_t flag : each.flags) test(flag);
    }
}

std::string coverage::report() const {
    std::string out = "operation        flag              how often it ended how\n";
    for (const opcode_name& each : opcodes()) {
        for (std::size_t flag = 0; flag < flag_names.size(); ++flag) {
            std::string cells;
            for (std::size_t result = 0; result < result_names.size(); ++result) {
                const std::uint64_t count = cell(static_cast<std::size_t>(each.op), flag, result);
                if (count == 0) continue;
                if (!cells.empty()) cells += ", ";
                cells += std::string{result_names[result]} + " " + std::to_string(count);
            }
            if (cells.empty()) continue;
            out += padded(each.name, 17) + padded(flag_names[flag].name, 18) + cells + "\n";
        }
    }
    std::size_t lines = 0;
    const std::string never = list_unreached(lines);
    out += lines == 0 ? "nothing that was asked for was missed\n" : "never reached:\n" + never;
    return out;
}

std::size_t coverage::unreached() const {
    std::size_t lines = 0;
    (void)list_unreached(lines);
    return lines;
}

std::string coverage::list_unreached(std::size_t& lines) const {
    std::string out;
    const auto miss = [&](std::string_view op, std::string_view what) {
        out += "  " + padded(op, 17) + std::string{what} + "\n";
        ++lines;
    };
    for (const opcode_name& each : opcodes()) {
        const auto op = static_cast<std::size_t>(each.op);
        for (const std::size_t flag : each.flags) {
            bool seen = false;
            for (std::size_t result = 0; result < result_names.size(); ++result) {
                seen = seen || cell(op, flag, result) > 0;
            }
            if (!seen) miss(each.name, "flag " + std::string{flag_names[flag].name});
        }
        for (const std::string_view name : each.results) {
            for (std::size_t result = 0; result < result_names.size(); ++result) {
                if (result_names[result] == name && cell(op, 0, result) == 0) miss(each.name, name);
            }
        }
    }
    return out;
}

}  // namespace ioring::differential
