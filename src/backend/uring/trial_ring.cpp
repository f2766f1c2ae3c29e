// SPDX-License-Identifier: MIT
// trial_ring.cpp - one operation there and back.
#include "backend/uring/trial_ring.hpp"

#include <cerrno>

#include "backend/uring/wait_region.hpp"
#include "ioring/prep.hpp"

namespace ioring::backends::uring {
namespace {

// Far more than any of the trials takes, and never reached unless the kernel is broken.
constexpr std::int64_t patience_ns = 1'000'000'000;

}  // namespace

int trial_ring::start() noexcept {
    if (const int error = ring_.enable(kernel_); error != 0) return error;
    sqe entry;
    prep_nop(entry, /*user_data=*/0);
    push(entry);
    // A filter may let rings be set up, but not entered.
    const int result = enter(/*to_submit=*/1, /*min_complete=*/1);
    if (result < 0 && result != -EINTR && result != -ETIME) return result;
    const std::optional<cqe> done = next();
    if (!done) return -EIO;
    return done->res;
}

std::optional<cqe> trial_ring::run(const sqe& entry) noexcept {
    push(entry);
    enter(/*to_submit=*/1, /*min_complete=*/1);
    return next();
}

void trial_ring::submit(const sqe& entry) noexcept {
    push(entry);
    enter(/*to_submit=*/1, /*min_complete=*/0);
}

std::optional<cqe> trial_ring::next() noexcept {
    for (;;) {
        while (const std::optional<cqe> done = take()) {
            if (done->user_data == last_) return done;
        }
        const int result = enter(/*to_submit=*/0, /*min_complete=*/1);
        if (result < 0 && result != -EINTR) return std::nullopt;
    }
}

void trial_ring::cancel_everything() noexcept {
    sqe entry;
    prep_cancel_everything(entry, /*user_data=*/0);
    run(entry);
    while (take()) {
    }
}

int trial_ring::enter(std::uint32_t to_submit, std::uint32_t min_complete) noexcept {
    const kernel_timespec patience = timespec_of(patience_ns);
    getevents_arg argument{};
    argument.timespec = ioring::detail::address_of(&patience);
    return kernel_.enter(get(), to_submit, min_complete, enter_bit::getevents | enter_bit::ext_arg,
                         &argument, sizeof argument);
}

void trial_ring::push(const sqe& entry) noexcept {
    const ring_view& view = ring_.view();
    const std::uint32_t tail = view.sq_tail->load(std::memory_order_relaxed);
    sqe& slot = view.sqes[tail & (view.sq_entries - 1)];
    slot = entry;
    slot.user_data = ++last_;
    // Release: the kernel sees the whole entry.
    view.sq_tail->store(tail + 1, std::memory_order_release);
}

std::optional<cqe> trial_ring::take() noexcept {
    const ring_view& view = ring_.view();
    const std::uint32_t head = view.cq_head->load(std::memory_order_relaxed);
    // Acquire: the entries before the tail are complete.
    if (head == view.cq_tail->load(std::memory_order_acquire)) return std::nullopt;
    const cqe done = view.cqes[head & (view.cq_entries - 1)];
    // Release: it has been read before the kernel may overwrite it.
    view.cq_head->store(head + 1, std::memory_order_release);
    return done;
}

}  // namespace ioring::backends::uring
