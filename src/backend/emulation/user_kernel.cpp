// SPDX-License-Identifier: MIT
// user_kernel.cpp - reading SQEs, keeping chains in order, waiting, posting.
#include "backend/emulation/user_kernel.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <utility>

#include "backend/emulation/validate.hpp"
#include "platform/clock.hpp"

namespace ioring::backends::emulation {
namespace {

constexpr std::uint32_t buckets_min = 256;

// The most that one operation posts when it ends: a send_zc's result and its notification.
constexpr std::uint32_t last_completions_max = 2;

std::int64_t until_ns(std::uint64_t deadline) noexcept {
    if (deadline == never_ns) return no_timeout;
    return platform::time_left(deadline).count();
}

}  // namespace

std::error_code user_kernel::set_up_queues(const backend_options& options) noexcept {
    if (const std::error_code error = queues_.set_up(options); error) return error;
    view_ = queues_.view();
    probe_ = emulation::probe();
    const bool room = pool_.set_up(std::max(buckets_min, options.cq_entries / 4)) &&
                      queues_.reserve(overflow_room());
    return room ? std::error_code{} : std::make_error_code(std::errc::not_enough_memory);
}

std::error_code user_kernel::open_mailbox(int name) noexcept {
    name_ = name;
    return mailbox_.open(name, view_.cq_entries);
}

// Whatever ends while the queue is full has a place. Submitting stops at view_.sq_entries of them.
std::uint32_t user_kernel::overflow_room() const noexcept {
    return view_.sq_entries + last_completions_max * (pool_.made() + 1);
}

int user_kernel::enter(std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
                       std::int64_t timeout_ns) noexcept {
    if (const int error = owner_.claim(); error != 0) return error;
    const bool getevents = (flags & enter_flag::getevents) != 0;
    if (getevents) queues_.flush_overflow();
    int result = 0;
    const std::uint32_t taken = submit(to_submit, result);
    // As the kernel: no wait after fewer than it was given.
    if (getevents && taken == to_submit) {
        result = wait(min_complete, timeout_ns);
    } else if (getevents) {
        (void)wait(0, 0);
    }
    update_taskrun();
    if (taken > 0) return static_cast<int>(taken);
    // As the kernel: no error of a wait while there is something to read.
    return to_submit == 0 && queues_.ready() > 0 ? 0 : result;
}

std::uint32_t user_kernel::submit(std::uint32_t to_submit, int& error) noexcept {
    run_started();  // What close_now has set free.
    const std::uint32_t most = std::min(to_submit, queues_.waiting());
    std::uint32_t taken = 0;
    while (taken < most) {
        if (queues_.overflow_count() >= view_.sq_entries) {
            error = -EBUSY;
            break;
        }
        operation* const op = take_operation();
        if (op == nullptr) {
            error = -EAGAIN;
            break;
        }
        op->entry = queues_.entry(taken++);
        if (chain_.head == nullptr && is_plain_transfer(op->entry)) [[likely]] {
            if (start(*op)) pool_.add(*op);
        } else {
            accept(*op);
        }
        if (startable_ != nullptr || counted_ != nullptr) [[unlikely]]
            run_started();
    }
    if (chain_.head != nullptr) {  // A chain ends with its submission.
        run(*std::exchange(chain_.head, nullptr));
        run_started();
    }
    queues_.consume(taken);
    return taken;
}

operation* user_kernel::take_operation() noexcept {
    operation* op = pool_.take();
    if (op != nullptr) [[likely]]
        return op;
    if (!pool_.add_some() || !queues_.reserve(overflow_room())) return nullptr;
    return pool_.take();
}

void user_kernel::lack(opcode which) noexcept {
    probe_.opcodes.reset(static_cast<std::size_t>(which));
    lacks_ = true;
}

void user_kernel::lack(feature which) noexcept {
    probe_.features.reset(static_cast<std::size_t>(which));
    lacks_ = true;
}

bool user_kernel::is_lacking(const sqe& entry) const noexcept {
    const bool vectorized =
        entry.op == opcode::send && (entry.ioprio & transfer_flag::send_vectorized) != 0;
    return !probe_.supports(entry.op) || (vectorized && !probe_.has(feature::send_vectorized));
}

void user_kernel::accept(operation& op) noexcept {
    op.early_result = validate(op.entry);
    if (lacks_ && is_lacking(op.entry)) op.early_result = -EINVAL;
    if (op.entry.op == opcode::link_timeout && op.early_result == 0) {
        const bool bounds = chain_.head != nullptr && chain_.last->entry.op != op.entry.op;
        if (!bounds) op.early_result = -EINVAL;
    }
    if (chain_.head == nullptr && !op.links()) {
        run(op);
    } else {
        add_to_chain(op);
    }
}

void user_kernel::add_to_chain(operation& op) noexcept {
    op.linked = true;
    if (chain_.head == nullptr) {
        chain_.head = &op;
    } else {
        chain_.last->follower = &op;
        // An invalid member keeps the whole chain from starting.
        if (op.early_result != 0 && chain_.head->early_result == 0) {
            chain_.head->early_result = -ECANCELED;
        }
    }
    chain_.last = &op;
    if (!op.links()) run(*std::exchange(chain_.head, nullptr));
}

void user_kernel::push_startable(operation& op) noexcept {
    op.next = nullptr;
    (startable_ == nullptr ? startable_ : startable_last_->next) = &op;
    startable_last_ = &op;
}

void user_kernel::run_started() noexcept {
    while (startable_ != nullptr) {
        operation& op = *startable_;
        startable_ = std::exchange(op.next, nullptr);
        run(op);
    }
    if (counted_ != nullptr) expire_counted();
}

void user_kernel::run(operation& op) noexcept {
    if (op.early_result != 0) [[unlikely]] {
        finish(op, op.early_result);
        return;
    }
    switch (op.entry.op) {
        case opcode::nop: finish(op, 0); return;
        case opcode::timeout: start_timeout(op); return;
        case opcode::timeout_remove: remove_timeout(op); return;
        case opcode::async_cancel: finish(op, cancel(op.entry)); return;
        case opcode::poll_remove: remove_poll(op); return;
        case opcode::msg_ring: send_message(op); return;
        default: break;
    }
    if (op.has_flag(sqe_flag::fixed_file)) {  // No table of files is registered.
        finish(op, -EBADF);
        return;
    }
    if (!start(op)) return;
    pool_.add(op);
    if (op.linked) bound(op);
}

// Starts the link timeout that follows `op`, which has just been kept.
void user_kernel::bound(operation& op) noexcept {
    operation* const timer = op.follower;
    if (timer == nullptr || timer->entry.op != opcode::link_timeout) return;
    op.follower = std::exchange(timer->follower, nullptr);
    set_deadline(*timer, timer->entry.addr, timer->entry.op_flags);
    if (!timers_.add(*timer)) {
        finish(*timer, -ENOMEM);
        return;
    }
    pool_.add(*timer);
    op.link_timer = timer;
    timer->bounded = &op;
}

void user_kernel::finish_odd(operation& op, std::int32_t res, std::uint32_t cqe_flags,
                             bool failed) noexcept {
    if (op.in_flight) pool_.remove(op);
    post(op, res, cqe_flags, failed);
    operation* rest = std::exchange(op.follower, nullptr);
    if (operation* const timer = std::exchange(op.link_timer, nullptr); timer != nullptr) {
        timer->bounded = nullptr;
        timers_.remove(*timer);
        finish(*timer, -ECANCELED, 0, /*failed=*/false);
    } else if (rest != nullptr && rest->entry.op == opcode::link_timeout &&
               rest->early_result == 0) {
        operation& timer_unused = *rest;  // It ended before its time was started.
        rest = std::exchange(timer_unused.follower, nullptr);
        finish(timer_unused, -ECANCELED, 0, /*failed=*/false);
    }
    if (rest != nullptr) {
        // A hard link outlives a failure, but not an entry that was never started.
        if (failed && (op.early_result != 0 || !op.has_flag(sqe_flag::io_hardlink))) {
            cut_chain(rest, op.has_flag(sqe_flag::cqe_skip_success));
        } else {
            push_startable(*rest);
        }
    }
    pool_.give_back(op);
}

void user_kernel::post(operation& op, std::int32_t res, std::uint32_t cqe_flags,
                       bool failed) noexcept {
    if (!failed && op.has_flag(sqe_flag::cqe_skip_success)) return;
    queues_.post({.user_data = op.entry.user_data, .res = res, .flags = cqe_flags});
    // As io_uring: a timeout that is over is not among what another one counts; one that was
    // cancelled, or never ran, is.
    const bool over = op.entry.op == opcode::timeout && (res == -ETIME || res == 0);
    if (!over) ++posted_count_;
}

bool user_kernel::post_more(const operation& op, std::int32_t res,
                            std::uint32_t cqe_flags) noexcept {
    if (queues_.full()) return false;
    queues_.post(
        {.user_data = op.entry.user_data, .res = res, .flags = cqe_flags | cqe_flag::more});
    if (op.entry.op != opcode::timeout) ++posted_count_;
    return true;
}

void user_kernel::end_zero_copy(operation& op, const outcome& how) noexcept {
    // The bytes have been copied, so that the buffer is the program's again at once.
    constexpr auto usage_copied = static_cast<std::int32_t>(0x8000'0000U);
    const bool reports = (op.entry.ioprio & transfer_flag::zc_report_usage) != 0;
    post_first(op, how.res);
    finish(op, reports ? usage_copied : 0, cqe_flag::notification, how.failed);
}

void user_kernel::post_first(const operation& op, std::int32_t res) noexcept {
    queues_.post({.user_data = op.entry.user_data, .res = res, .flags = cqe_flag::more});
    ++posted_count_;
}

// Ends what would have followed an operation that failed. As io_uring: if that one asked for no CQE
// on success, the rest posts none either.
void user_kernel::cut_chain(operation* rest, bool silently) noexcept {
    while (rest != nullptr) {
        operation& each = *rest;
        rest = std::exchange(each.follower, nullptr);
        const std::int32_t res = each.early_result != 0 ? each.early_result : -ECANCELED;
        if (!silently) post(each, res, 0, /*failed=*/true);
        pool_.give_back(each);
    }
}

int user_kernel::wait(std::uint32_t min_complete, std::int64_t timeout_ns) noexcept {
    const std::uint64_t deadline =
        timeout_ns < 0 ? never_ns : platform::deadline_ns(std::chrono::nanoseconds{timeout_ns});
    // One look at the system at least, so that what completes at once starves nobody.
    for (bool looked = false;; looked = true) {
        collect_messages();
        expire_due();
        run_started();
        const bool enough = queues_.ready() >= min_complete;
        if (enough && looked) return 0;
        if (!enough && wake_pending_.exchange(false, std::memory_order_acq_rel)) return 0;
        std::int64_t sleep_ns = 0;
        if (!enough) {
            const std::int64_t left_ns = until_ns(deadline);
            if (looked && left_ns == 0) return -ETIME;
            if (!has_more()) sleep_ns = until_ns(std::min(deadline, timers_.earliest_ns()));
        }
        const int result = progress(sleep_ns);
        run_started();
        if (result < 0 && queues_.ready() < min_complete) return result;
    }
}

void user_kernel::collect_messages() noexcept {
    cqe message;
    while (mailbox_.pending() && !queues_.full() && mailbox_.take(message)) {
        queues_.post(message);
        ++posted_count_;
    }
}

// While anything is under way, only enter() finds out whether it has come to an end.
void user_kernel::update_taskrun() noexcept {
    queues_.set_taskrun(pool_.in_flight() != 0 || has_more() || startable_ != nullptr);
    // A message that came meanwhile has set the flag before it became pending.
    if (mailbox_.pending()) queues_.add_taskrun();
}

void user_kernel::tell() noexcept {
    queues_.add_taskrun();
    interrupt();
}

int user_kernel::register_(register_op operation, void* argument, std::uint32_t count) noexcept {
    switch (operation) {
        case register_op::wake:
            if (owner_.forked()) return -EOWNERDEAD;
            // Release: what the waker did before is visible to who takes the flag.
            wake_pending_.store(true, std::memory_order_release);
            interrupt();
            return 0;
        case register_op::abandon_after_fork:
            mailbox_.abandon();
            abandon_descriptors();
            return 0;
        case register_op::message_descriptor: return owner_.forked() ? -EOWNERDEAD : name_;
        default: break;
    }
    if (const int error = owner_.check(); error != 0) return error;
    return register_owned(operation, argument, count);
}

int user_kernel::register_owned(register_op operation, void* argument,
                                std::uint32_t count) noexcept {
    switch (operation) {
        case register_op::wake_descriptor: return -ENOENT;
        case register_op::shutdown_now: {
            const auto& asked = *static_cast<const socket_shutdown*>(argument);
            return shut_down(asked.fd, asked.how);
        }
        case register_op::close_now: {
            const std::int32_t fd = *static_cast<const std::int32_t*>(argument);
            cancel_descriptor(fd);
            const int result = close_descriptor(fd);
            update_taskrun();
            return result;
        }
        case register_op::pin_buffer:
            return buffers_.pin(*static_cast<const kernel_buffer*>(argument), count);
        case register_op::unpin_buffer: return buffers_.unpin(count);
        case register_op::add_buffer_ring:
            return groups_.add(*static_cast<const buffer_ring*>(argument));
        case register_op::remove_buffer_ring: return groups_.remove(count);
        case register_op::attach_socket:
            return attach_socket(*static_cast<const std::int32_t*>(argument));
        case register_op::attach_buffer:
            return attach_buffer(count, *static_cast<const kernel_buffer*>(argument));
        case register_op::detach_buffer: return detach_buffer(count);
        case register_op::abort_attached: return abort_attached();
        default: return -EOPNOTSUPP;
    }
}

}  // namespace ioring::backends::emulation
