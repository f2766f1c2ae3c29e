// SPDX-License-Identifier: MIT
// null_backend.cpp - the two queues in user memory, and a wait that only a wake ends.
#include "backend/null/null_backend.hpp"

#include <bit>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <new>
#include <utility>

#include "backend/null/null.hpp"
#include "backend/null/os.hpp"
#include "base/thread_token.hpp"
#include "platform/clock.hpp"
#include "platform/process.hpp"

namespace ioring::backends::null {

std::error_code set_up(const backend_options& options, std::unique_ptr<backend>& out,
                       std::string& why) noexcept {
    platform::wake_handle wake;
    if (const std::error_code error = platform::wake_handle::create(wake); error) {
        why = "no descriptor to wake the null backend by: " + error.message();
        return error;
    }
#if defined(__cpp_exceptions)
    try {
        out = std::make_unique<null_backend>(options, std::move(wake));
    } catch (const std::bad_alloc&) {
        why = "no memory for the queues of the null backend";
        return std::make_error_code(std::errc::not_enough_memory);
    }
#else
    out = std::make_unique<null_backend>(options, std::move(wake));
#endif
    return {};
}

null_backend::null_backend(const backend_options& options, platform::wake_handle&& wake)
    : sqes_(options.sq_entries),
      cqes_(options.cq_entries),
      overflow_(options.sq_entries),
      wake_{std::move(wake)},
      generation_{platform::fork_generation()},
      owner_{detail::no_thread} {
    assert(std::has_single_bit(options.sq_entries) && std::has_single_bit(options.cq_entries));
    view_ = {.sqes = sqes_.data(),
             .cqes = cqes_.data(),
             .sq_head = &words_.sq_head,
             .sq_tail = &words_.sq_tail,
             .sq_flags = &words_.sq_flags,
             .cq_head = &words_.cq_head,
             .cq_tail = &words_.cq_tail,
             .cq_overflow = &words_.cq_overflow,
             .sq_entries = options.sq_entries,
             .cq_entries = options.cq_entries};
    probe_ = null::probe();
    description_ = "no I/O: everything completes at once; " + std::to_string(options.sq_entries) +
                   " SQEs, " + std::to_string(options.cq_entries) + " CQEs";
}

int null_backend::check_owner() noexcept {
    if (generation_ != platform::fork_generation()) return -EOWNERDEAD;
    return owner_ == detail::no_thread || owner_ == detail::thread_token() ? 0 : -EEXIST;
}

int null_backend::enter(std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
                        std::int64_t timeout_ns) noexcept {
    if (const int error = check_owner(); error != 0) return error;
    owner_ = detail::thread_token();

    const bool getevents = (flags & enter_flag::getevents) != 0;
    if (getevents) flush_overflow();
    const std::uint32_t taken = submit(to_submit);
    if (taken == 0 && overflow_full() && to_submit > 0) return -EBUSY;
    // As the kernel: no wait after fewer than it was given.
    if (!getevents || min_complete == 0 || taken < to_submit) return static_cast<int>(taken);
    const int result = wait(min_complete, timeout_ns);
    return taken > 0 ? static_cast<int>(taken) : result;
}

std::uint32_t null_backend::submit(std::uint32_t to_submit) noexcept {
    const std::uint32_t head = words_.sq_head.load(std::memory_order_relaxed);
    // Acquire: the entries before the tail are complete (pairs with the program's release).
    const std::uint32_t waiting = words_.sq_tail.load(std::memory_order_acquire) - head;
    std::uint32_t taken = 0;
    linked_ = broken_ = false;  // A chain ends with its submission.
    while (taken < to_submit && taken < waiting) {
        if (overflow_full()) break;
        run(sqes_[(head + taken) & (view_.sq_entries - 1)]);
        ++taken;
    }
    // Release: they have been read before the program may write them again.
    words_.sq_head.store(head + taken, std::memory_order_release);
    return taken;
}

void null_backend::run(const sqe& entry) noexcept {
    const std::int32_t res = linked_ && broken_ ? -ECANCELED : results_.of(entry, linked_);
    const bool links = (entry.flags & (sqe_flag::io_link | sqe_flag::io_hardlink)) != 0;
    broken_ = links && ((linked_ && broken_) || breaks_link(entry, res));
    linked_ = links;
    const bool silent = res >= 0 && (entry.flags & sqe_flag::cqe_skip_success) != 0;
    if (!silent) post({.user_data = entry.user_data, .res = res});
}

void null_backend::post(const cqe& done) noexcept {
    // Behind what waits already: completions keep their order.
    if (overflow_head_ == overflow_tail_ && ready() < view_.cq_entries) {
        const std::uint32_t tail = words_.cq_tail.load(std::memory_order_relaxed);
        cqes_[tail & (view_.cq_entries - 1)] = done;
        // Release: the entry is complete (pairs with the program's acquire).
        words_.cq_tail.store(tail + 1, std::memory_order_release);
        return;
    }
    overflow_[overflow_tail_++ & (view_.sq_entries - 1)] = done;
    words_.sq_flags.store(sq_flag::cq_overflow, std::memory_order_release);
}

void null_backend::flush_overflow() noexcept {
    std::uint32_t tail = words_.cq_tail.load(std::memory_order_relaxed);
    for (std::uint32_t room = view_.cq_entries - ready();
         room > 0 && overflow_head_ != overflow_tail_; --room) {
        cqes_[tail++ & (view_.cq_entries - 1)] =
            overflow_[overflow_head_++ & (view_.sq_entries - 1)];
    }
    // Release: the entries are complete (pairs with the program's acquire).
    words_.cq_tail.store(tail, std::memory_order_release);
    if (overflow_head_ == overflow_tail_) words_.sq_flags.store(0, std::memory_order_release);
}

// Nothing completes while it sleeps: only a wake, a signal or the time ends it.
int null_backend::wait(std::uint32_t min_complete, std::int64_t timeout_ns) noexcept {
    if (ready() >= min_complete) return 0;
    const std::uint64_t deadline =
        timeout_ns < 0 ? ~std::uint64_t{0}
                       : platform::deadline_ns(std::chrono::nanoseconds{timeout_ns});
    const int result = sleep(wake_, deadline);
    if (result == 0) wake_.drain();
    // As the kernel: no error while there is something to read.
    return ready() > 0 ? 0 : result;
}

std::uint32_t null_backend::ready() const noexcept {
    // Acquire: the program has read what is before the head (pairs with its release).
    return words_.cq_tail.load(std::memory_order_relaxed) -
           words_.cq_head.load(std::memory_order_acquire);
}

int null_backend::wake() noexcept {
    if (generation_ != platform::fork_generation()) return -EOWNERDEAD;
    wake_.signal();
    return 0;
}

int null_backend::register_(register_op operation, void* argument, std::uint32_t count) noexcept {
    // First, because it may be a signal handler that calls.
    if (operation == register_op::wake) return wake();
    if (operation == register_op::abandon_after_fork) {
        wake_.close();
        return 0;
    }
    if (operation == register_op::message_descriptor) return -EOPNOTSUPP;
    if (const int error = check_owner(); error != 0) return error;
    switch (operation) {
        case register_op::wake_descriptor: return -ENOENT;
        case register_op::shutdown_now: {
            const auto& asked = *static_cast<const socket_shutdown*>(argument);
            return results::shutdown(asked.fd, asked.how);
        }
        case register_op::close_now:
            return results::close(*static_cast<const std::int32_t*>(argument));
        case register_op::pin_buffer:
            return results_.pin(*static_cast<const kernel_buffer*>(argument), count);
        case register_op::unpin_buffer: return results_.unpin(count);
        default: return -EOPNOTSUPP;
    }
}

}  // namespace ioring::backends::null
