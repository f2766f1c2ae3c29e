// SPDX-License-Identifier: MIT
// intake.cpp - what happens to SQEs: failed here, shortened, or passed on as they are.
#include <cerrno>

#include "backend/fault/fault_backend.hpp"
#include "backend/fault/os.hpp"
#include "backend/wrapping/inner_queues.hpp"
#include "ioring/prep.hpp"
#include "platform/socket.hpp"

namespace ioring::backends::fault {
namespace {

// A short transfer is a very short one as often as any: that is where programs break.
constexpr std::uint64_t very_short_bytes_max = 16;
// Of a receive that leaves its length to the group buffer.
constexpr std::uint64_t group_bytes_max = 4096;

bool is_transfer(opcode op) noexcept {
    switch (op) {
        case opcode::recv:
        case opcode::send:
        case opcode::recvmsg:
        case opcode::sendmsg:
        case opcode::send_zc: return true;
        default: return false;
    }
}

bool is_multishot(const sqe& entry) noexcept {
    switch (entry.op) {
        case opcode::accept: return (entry.ioprio & accept_flag::multishot) != 0;
        case opcode::recv:
        case opcode::recvmsg: return (entry.ioprio & transfer_flag::multishot) != 0;
        case opcode::poll_add: return (entry.len & poll_flag::multishot) != 0;
        default: return false;
    }
}

bool has_flag(const sqe& entry, std::uint8_t flag) noexcept { return (entry.flags & flag) != 0; }

// A cancel of one operation by its user_data.
bool is_plain_cancel(const sqe& entry) noexcept {
    return entry.op == opcode::async_cancel && entry.op_flags == 0 &&
           !has_flag(entry, sqe_flag::cqe_skip_success);
}

}  // namespace

void fault_backend::admit(sqe entry) noexcept {
    const bool links = has_flag(entry, sqe_flag::io_link) || has_flag(entry, sqe_flag::io_hardlink);
    const bool chained = links || linked_;
    if (links && !linked_) ++chains_;
    linked_ = links;
    if (entry.user_data == reserved_user_data) {
        push_sqe(inner_->view(), entry);
        return;
    }
    if (entry.user_data == own_user_data) own_user_data_used_ = true;
    const subject about{.number = ++entries_};
    if (!chained && !counted_ && completes_here(entry, about)) return;

    flight operation;
    operation.op = entry.op;
    operation.number = about.number;
    operation.chain = chained ? chains_ : 0;
    operation.multishot = is_multishot(entry);
    // A timeout that counts completions is seen after those it has counted.
    operation.waits_for_all =
        has_flag(entry, sqe_flag::io_drain) || (entry.op == opcode::timeout && entry.off != 0);
    shorten(entry, about, operation);
    if (!chained && is_plain_cancel(entry)) plan_lost_cancel(entry, about, operation);
    if (entry.op == opcode::poll_remove) follow_update(entry);
    if (has_flag(entry, sqe_flag::cqe_skip_success)) {
        untracked_ = true;
        flights_.give_up(entry.user_data);
    } else {
        held_.unpin(entry.user_data);  // With two of one name nobody can tell whose end comes.
        flights_.add(entry.user_data, std::move(operation));
    }
    push_sqe(inner_->view(), entry);
}

// Whether `entry` ends here, without reaching the inner backend.
bool fault_backend::completes_here(const sqe& entry, subject about) noexcept {
    std::int32_t res = 0;
    if (is_plain_cancel(entry) && overtakes(entry, about)) {
        count(kind::cancel_overtaken);
    } else if (is_transfer(entry.op)) {
        res = error_for_transfer(entry, about);
        if (res == 0) return false;
    } else if (entry.op == opcode::accept) {
        res = error_for_accept(entry, about);
        if (res == 0) return false;
    } else {
        return false;
    }
    hold(cqe{.user_data = entry.user_data, .res = res}, nullptr, about);
    return true;
}

std::int32_t fault_backend::error_for_transfer(const sqe& entry, subject about) noexcept {
    const bool file_slot = has_flag(entry, sqe_flag::fixed_file);
    if (file_slot || !is_stream_socket(entry.fd)) return 0;
    if (decisions_.happens(kind::connection_reset, about) && is_connected(entry.fd)) {
        count(kind::connection_reset);
        (void)platform::shutdown_socket(entry.fd, static_cast<int>(shutdown_how::both));
        return -ECONNRESET;
    }
    if (has_flag(entry, sqe_flag::buffer_select) && inject(kind::no_buffers, about)) {
        return -ENOBUFS;
    }
    if (!inject(kind::passing_error, about)) return 0;
    return decisions_.pick(kind::passing_error, about, 2) == 0 ? -EAGAIN : -EINTR;
}

std::int32_t fault_backend::error_for_accept(const sqe& entry, subject about) noexcept {
    const bool file_slot = has_flag(entry, sqe_flag::fixed_file);
    if (file_slot || !is_stream_socket(entry.fd)) return 0;
    if (inject(kind::accept_refused, about)) return -EMFILE;
    if (!inject(kind::passing_error, about)) return 0;
    return decisions_.pick(kind::passing_error, about, 2) == 0 ? -EAGAIN : -EINTR;
}

// Whether the target has ended with bytes that the program has not seen: then a cancel may as well
// have come a moment sooner.
bool fault_backend::overtakes(const sqe& cancel, subject about) noexcept {
    if (flights_.knows(cancel.addr)) return false;
    const held_completion* const last = held_.find_last(cancel.addr);
    return last != nullptr && last->known && is_transfer(last->op) && last->entry.res > 0 &&
           decisions_.happens(kind::cancel_overtaken, about);
}

void fault_backend::shorten(sqe& entry, subject about, flight& operation) noexcept {
    const bool may = (is_transfer(entry.op) || entry.op == opcode::read_fixed ||
                      entry.op == opcode::write_fixed) &&
                     !operation.multishot && !has_flag(entry, sqe_flag::fixed_file);
    const bool all = entry.op != opcode::read_fixed && entry.op != opcode::write_fixed &&
                     (entry.op_flags & msg_flag::wait_all) != 0;
    if (!may || all || !decisions_.happens(kind::short_transfer, about)) return;
    if (!is_stream_socket(entry.fd)) return;
    if (entry.op == opcode::recvmsg) return;  // The system writes to the program's msghdr.
    const bool pieces =
        entry.op == opcode::sendmsg ||
        (entry.op == opcode::send && (entry.ioprio & transfer_flag::send_vectorized) != 0);
    if (pieces) {
        shorten_pieces(entry, about, operation);
    } else if ((entry.ioprio & transfer_flag::bundle) == 0) {
        shorten_bytes(entry, about);
    }
}

void fault_backend::shorten_pieces(sqe& entry, subject about, flight& operation) noexcept {
    if (entry.op == opcode::send) {
        if (entry.len < 2) return;
        entry.len = 1 + static_cast<std::uint32_t>(
                            decisions_.pick(kind::short_transfer, about, entry.len - 1));
    } else {
        const std::size_t pieces = message_pieces(entry.addr);
        // The copy lives as long as the flight does, which others of its name would confuse.
        if (pieces < 2 || flights_.knows(entry.user_data)) return;
        if (has_flag(entry, sqe_flag::cqe_skip_success)) return;
        operation.message =
            cut_message(entry.addr, 1 + decisions_.pick(kind::short_transfer, about, pieces - 1));
        entry.addr = ioring::detail::address_of(operation.message.get());
    }
    count(kind::short_transfer);
}

void fault_backend::shorten_bytes(sqe& entry, subject about) noexcept {
    std::uint64_t below = entry.len;
    if (has_flag(entry, sqe_flag::buffer_select) && entry.len == 0) below = group_bytes_max;
    if (below < 2) return;
    const std::uint64_t random =
        decisions_.pick(kind::short_transfer, about, std::uint64_t{1} << 32U);
    if (random % 2 == 0 && below > very_short_bytes_max) below = very_short_bytes_max;
    entry.len = 1 + static_cast<std::uint32_t>(random / 2 % (below - 1));
    count(kind::short_transfer);
}

void fault_backend::plan_lost_cancel(const sqe& cancel, subject about, flight& operation) noexcept {
    if (flights_.knows(cancel.user_data) || cancel.user_data == cancel.addr) return;
    const flight* const target = flights_.find(cancel.addr);
    if (target == nullptr || target->chain != 0 || target->ending || target->interrupted) return;
    if (!is_transfer(target->op) && target->op != opcode::accept) return;
    operation.loses = decisions_.happens(kind::cancel_lost, about);
    operation.target = cancel.addr;
}

// A poll whose user_data changes is no longer followed.
void fault_backend::follow_update(const sqe& update) noexcept {
    if ((update.len & poll_flag::update_user_data) == 0) return;
    for (const std::uint64_t user_data : {update.addr, update.off}) {
        held_.unpin(user_data);
        flights_.give_up(user_data);
    }
    untracked_ = true;
}

}  // namespace ioring::backends::fault
