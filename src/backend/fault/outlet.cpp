// SPDX-License-Identifier: MIT
// outlet.cpp - what happens to CQEs: relabelled, repeated, held back.
#include <cerrno>

#include "backend/fault/fault_backend.hpp"

namespace ioring::backends::fault {

void fault_backend::completed(cqe done) noexcept {
    if (done.user_data == own_user_data && cancels_in_flight_ > 0) {
        --cancels_in_flight_;  // Its target's own CQE says what became of it.
        return;
    }
    flight* const operation =
        done.user_data == reserved_user_data ? nullptr : flights_.find(done.user_data);
    if (operation == nullptr) {
        hold(done, nullptr, {.number = ~std::uint64_t{0}, .part = ++internals_});
        if (!done.more() && done.user_data != reserved_user_data) flights_.end(done.user_data);
        return;
    }
    ++operation->cqes;
    const subject about{.number = operation->number, .part = operation->cqes};
    const bool received = operation->op == opcode::recv || operation->op == opcode::recvmsg;
    if (received && done.res > 0 && inject(kind::hint_flipped, about)) {
        done.flags ^= cqe_flag::sock_nonempty;
    }
    if (done.more()) {
        completed_more(*operation, done);
    } else {
        completed_last(*operation, done);
        flights_.end(done.user_data);
    }
}

void fault_backend::completed_more(flight& operation, cqe done) noexcept {
    const subject about{.number = operation.number, .part = operation.cqes};
    if (operation.ending) {
        // Not the last one after all: this one may be.
        held_.unpin(done.user_data);
        hold(done, &operation, about, /*pinned=*/true);
        return;
    }
    const bool can_end =
        operation.multishot && done.res >= 0 && !own_user_data_used_ && !operation.interrupted;
    if (can_end && decisions_.happens(kind::multishot_ended, about)) {
        operation.ending = true;
        cancels_wanted_.push_back(done.user_data);
        hold(done, &operation, about, /*pinned=*/true);
        return;
    }
    hold(done, &operation, about);
    if (operation.op == opcode::poll_add && inject(kind::poll_repeated, about)) {
        hold(done, &operation, about);
    }
}

void fault_backend::completed_last(flight& operation, cqe done) noexcept {
    const subject about{.number = operation.number, .part = operation.cqes};
    if (operation.ending) {
        // Our cancel has ended it: the CQE before this one becomes the last.
        if (done.res == -ECANCELED && held_.finish(done.user_data)) {
            count(kind::multishot_ended);
            return;
        }
        held_.unpin(done.user_data);
    }
    if (operation.loses && done.res == 0 && cancel_really_lost(operation.target)) {
        done.res = -EALREADY;
        count(kind::cancel_lost);
    }
    if (operation.interrupted && done.res == -ECANCELED) done.res = -EINTR;
    hold(done, &operation, about);
}

// The cancel of `target` has found it. True when the target's own result can still be changed to
// that of one which was running.
bool fault_backend::cancel_really_lost(std::uint64_t target) noexcept {
    if (flight* const operation = flights_.find(target)) {
        operation->interrupted = !operation->ending;
        return operation->interrupted;
    }
    held_completion* const last = held_.find_last(target);
    if (last == nullptr || !last->known || last->entry.res != -ECANCELED) return false;
    last->entry.res = -EINTR;
    return true;
}

void fault_backend::hold(const cqe& done, const flight* operation, subject about,
                         bool pinned) noexcept {
    held_completion each;
    each.entry = done;
    each.due_turn = turn_;
    if (operation != nullptr) {
        each.known = true;
        each.op = operation->op;
        each.chain = operation->chain;
        each.waits_for_all = operation->waits_for_all;
    }
    if (pinned) {
        each.due_turn = held_completion::pinned;
    } else if (inject(kind::late, about)) {
        each.due_turn += 1 + decisions_.pick(kind::late, about, decisions_.late_turns_max());
    }
    held_.push(each);
}

}  // namespace ioring::backends::fault
