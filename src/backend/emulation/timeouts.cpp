// SPDX-License-Identifier: MIT
// timeouts.cpp - timeouts by time and by count, and link timeouts.
#include <algorithm>
#include <cassert>
#include <cerrno>
#include <utility>

#include "backend/emulation/user_kernel.hpp"
#include "base/pointer.hpp"
#include "platform/clock.hpp"

namespace ioring::backends::emulation {
namespace {

constexpr std::uint64_t second_ns = 1'000'000'000;
constexpr std::uint64_t latest_ns = never_ns - 1;

std::uint64_t add(std::uint64_t left_ns, std::uint64_t right_ns) noexcept {
    return left_ns > latest_ns - std::min(right_ns, latest_ns) ? latest_ns : left_ns + right_ns;
}

// validate() has seen that neither part is negative.
std::uint64_t read_time(std::uint64_t address) noexcept {
    const auto& time = *detail::pointer_of<const kernel_timespec>(address);
    const auto seconds = static_cast<std::uint64_t>(time.tv_sec);
    if (seconds >= latest_ns / second_ns) return latest_ns;
    return add(seconds * second_ns, static_cast<std::uint64_t>(time.tv_nsec));
}

std::uint64_t clock_now(std::uint32_t timeout_flags) noexcept {
    if ((timeout_flags & timeout_flag::realtime) != 0) return platform::realtime_ns();
    if ((timeout_flags & timeout_flag::boottime) != 0) return platform::boottime_ns();
    return platform::monotonic_ns();
}

}  // namespace

// An absolute time of another clock is turned into one of the monotonic clock here: later steps of
// that clock are not seen.
void user_kernel::set_deadline(operation& timer, std::uint64_t time_address,
                               std::uint32_t timeout_flags) noexcept {
    const std::uint64_t time_ns = read_time(time_address);
    timer.interval_ns = time_ns;
    if ((timeout_flags & timeout_flag::absolute) == 0) {
        timer.deadline_ns = add(platform::monotonic_ns(), time_ns);
    } else if ((timeout_flags & (timeout_flag::realtime | timeout_flag::boottime)) == 0) {
        timer.deadline_ns = std::min(time_ns, latest_ns);
    } else {
        const std::uint64_t now_ns = clock_now(timeout_flags);
        timer.deadline_ns = add(platform::monotonic_ns(), time_ns - std::min(time_ns, now_ns));
    }
}

void user_kernel::start_timeout(operation& op) noexcept {
    set_deadline(op, op.entry.addr, op.entry.op_flags);
    if (!timers_.add(op)) {
        finish(op, -ENOMEM);
        return;
    }
    op.timer = true;
    op.shots_left = static_cast<std::uint32_t>(op.entry.off);
    if (op.entry.off != 0 && (op.entry.op_flags & timeout_flag::multishot) == 0) {
        op.counted = true;
        op.target_count = posted_count_ + static_cast<std::uint32_t>(op.entry.off);
        op.previous = nullptr;
        op.next = counted_;
        if (counted_ != nullptr) counted_->previous = &op;
        counted_ = &op;
    }
    pool_.add(op);
    bound(op);
}

// Takes a timeout out of everything that would end it.
void user_kernel::stop_timer(operation& op) noexcept {
    if (op.heap_index != not_in_heap) timers_.remove(op);
    op.timer = false;
    if (!op.counted) return;
    op.counted = false;
    (op.previous != nullptr ? op.previous->next : counted_) = op.next;
    if (op.next != nullptr) op.next->previous = op.previous;
    op.next = op.previous = nullptr;
}

void user_kernel::expire_due() noexcept {
    if (timers_.count() == 0) return;
    const std::uint64_t now_ns = platform::monotonic_ns();
    while (operation* const due = timers_.take_due(now_ns)) fire(*due);
}

void user_kernel::fire(operation& timer) noexcept {
    if (timer.entry.op == opcode::link_timeout) {
        operation& target = *std::exchange(timer.bounded, nullptr);
        target.link_timer = nullptr;
        end_cancelled(target);
        finish(timer, -ETIME, 0, /*failed=*/false);
        return;
    }
    const bool again = (timer.entry.op_flags & timeout_flag::multishot) != 0 &&
                       timer.shots_left != 1 && post_more(timer, -ETIME, 0);
    if (again) {
        if (timer.shots_left > 1) --timer.shots_left;
        // Later than now, so that an interval of nothing does not keep us here.
        const std::uint64_t now_ns = platform::monotonic_ns();
        timer.deadline_ns = add(now_ns, std::max<std::uint64_t>(timer.interval_ns, 1));
        const bool added = timers_.add(timer);
        assert(added);  // It has just left its place.
        (void)added;
        return;
    }
    stop_timer(timer);
    const bool is_success = (timer.entry.op_flags & timeout_flag::etime_success) != 0;
    finish(timer, -ETIME, 0, /*failed=*/!is_success);
}

// Ends the timeouts that have seen as many completions as they were to wait for.
void user_kernel::expire_counted() noexcept {
    operation* each = counted_;
    while (each != nullptr) {
        operation& timer = *each;
        each = each->next;
        if (posted_count_ < timer.target_count) continue;
        stop_timer(timer);
        finish(timer, 0);
    }
}

void user_kernel::remove_timeout(operation& op) noexcept {
    constexpr std::uint32_t updates = timeout_flag::update | timeout_flag::link_timeout_update;
    if ((op.entry.op_flags & updates) != 0) {
        finish(op, update_timeout(op.entry));
        return;
    }
    operation* const target =
        pool_.find(op.entry.addr, [](const operation& each) { return each.timer; });
    if (target == nullptr) {
        finish(op, -ENOENT);
        return;
    }
    finish(op, 0);
    end_cancelled(*target);
}

std::int32_t user_kernel::update_timeout(const sqe& asked) noexcept {
    const bool of_link = (asked.op_flags & timeout_flag::link_timeout_update) != 0;
    const opcode wanted = of_link ? opcode::link_timeout : opcode::timeout;
    operation* const target =
        pool_.find(asked.addr, [wanted](const operation& each) { return each.entry.op == wanted; });
    if (target == nullptr) return -ENOENT;
    // The clock stays the timeout's own; it waits for time alone from now on.
    const std::uint32_t clock =
        target->entry.op_flags & (timeout_flag::realtime | timeout_flag::boottime);
    timers_.remove(*target);
    set_deadline(*target, asked.off, clock | (asked.op_flags & timeout_flag::absolute));
    if (!of_link) {
        stop_timer(*target);
        target->timer = true;
        target->shots_left = 0;
    }
    const bool added = timers_.add(*target);
    assert(added);  // It has just left its place.
    (void)added;
    return 0;
}

}  // namespace ioring::backends::emulation
