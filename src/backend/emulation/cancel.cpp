// SPDX-License-Identifier: MIT
// cancel.cpp - finding operations in flight and ending or changing them.
#include <cassert>
#include <cerrno>
#include <utility>

#include "backend/emulation/user_kernel.hpp"

namespace ioring::backends::emulation {
namespace {

constexpr std::uint32_t picks = cancel_flag::by_fd | cancel_flag::by_opcode;

bool by_user_data_alone(std::uint32_t flags) noexcept {
    return (flags & (picks | cancel_flag::any)) == 0;
}

bool matches(const operation& op, const sqe& asked) noexcept {
    // A link timeout ends with what it bounds.
    if (op.entry.op == opcode::link_timeout) return false;
    const std::uint32_t flags = asked.op_flags;
    if ((flags & cancel_flag::any) != 0) return true;
    if ((flags & cancel_flag::by_fd) != 0 && (op.timer || op.entry.fd != asked.fd)) return false;
    if ((flags & cancel_flag::by_opcode) != 0 &&
        static_cast<std::uint32_t>(op.entry.op) != asked.len) {
        return false;
    }
    const bool by_user_data = (flags & cancel_flag::by_user_data) != 0 || (flags & picks) == 0;
    return !by_user_data || op.entry.user_data == asked.addr;
}

}  // namespace

withdrawal user_kernel::end_cancelled(operation& target) noexcept {
    if (target.ending) return withdrawal::too_late;
    if (target.timer) {
        stop_timer(target);
    } else if (const withdrawal how = withdraw(target); how != withdrawal::now) {
        target.ending = true;
        return how;
    }
    const auto moved = static_cast<std::int32_t>(target.bytes_done);
    finish(target, moved > 0 ? moved : -ECANCELED, target.kept_buffer, /*failed=*/true);
    return withdrawal::now;
}

std::int32_t user_kernel::cancel(const sqe& asked) noexcept {
    if ((asked.op_flags & cancel_flag::by_fd) != 0) {
        const bool fixed = (asked.op_flags & cancel_flag::fixed_fd) != 0;
        if (fixed || !is_open(asked.fd)) return -EBADF;
        if (asked.op_flags == (cancel_flag::by_fd | cancel_flag::all)) {
            return cancel_descriptor(asked.fd);
        }
    }
    const bool hashed = by_user_data_alone(asked.op_flags);
    // The one after the next that may be ended: a link timeout goes with its operation.
    const auto next_of = [hashed](const operation* each) {
        do {
            each = hashed ? each->same_hash_next : each->newer;
        } while (each != nullptr && each->entry.op == opcode::link_timeout);
        return const_cast<operation*>(each);
    };
    const bool all = (asked.op_flags & (cancel_flag::all | cancel_flag::any)) != 0;
    std::int32_t count = 0;
    operation* each = hashed ? pool_.bucket_of(asked.addr) : pool_.oldest();
    while (each != nullptr) {
        operation& candidate = *each;
        each = next_of(each);
        if (!matches(candidate, asked)) continue;
        const withdrawal how = end_cancelled(candidate);
        if (!all) return how == withdrawal::too_late ? -EALREADY : 0;
        ++count;
    }
    return all ? count : -ENOENT;
}

std::int32_t user_kernel::cancel_descriptor(std::int32_t fd) noexcept {
    std::int32_t count = 0;
    while (operation* const waiting = first_on(fd)) {
        end_cancelled(*waiting);
        ++count;
    }
    return count;
}

void user_kernel::remove_poll(operation& op) noexcept {
    operation* const target = pool_.find(
        op.entry.addr, [](const operation& each) { return each.entry.op == opcode::poll_add; });
    if (target == nullptr) {
        finish(op, -ENOENT);
    } else if (op.entry.len != 0) {
        update_poll(*target, op.entry);
        finish(op, 0);
    } else {
        finish(op, 0);
        end_cancelled(*target);
    }
}

// Starts the poll anew as it is asked for. That may end it at once.
void user_kernel::update_poll(operation& target, const sqe& asked) noexcept {
    [[maybe_unused]] const withdrawal how = withdraw(target);
    assert(how == withdrawal::now);
    pool_.remove(target);
    if ((asked.len & poll_flag::update_events) != 0) target.entry.op_flags = asked.op_flags;
    if ((asked.len & poll_flag::update_user_data) != 0) target.entry.user_data = asked.off;
    if (start(target)) pool_.add(target);
}

void user_kernel::send_message(operation& op) noexcept {
    const sqe& asked = op.entry;
    if (asked.addr != msg_ring_flag::command_data || asked.addr3 != 0) {
        finish(op, -EINVAL);
        return;
    }
    const bool passes = (asked.op_flags & msg_ring_flag::flags_pass) != 0;
    const bool skips = (asked.op_flags & msg_ring_flag::cqe_skip) != 0;
    if (skips || (!passes && asked.file_index != 0)) {
        finish(op, -EINVAL);
        return;
    }
    if (op.has_flag(sqe_flag::fixed_file) || !is_open(asked.fd)) {
        finish(op, -EBADF);
        return;
    }
    const std::uint32_t flags = passes ? static_cast<std::uint32_t>(asked.file_index) : 0;
    finish(op, mailbox::send(asked.fd, {.user_data = asked.off,
                                        .res = static_cast<std::int32_t>(asked.len),
                                        .flags = flags}));
}

}  // namespace ioring::backends::emulation
