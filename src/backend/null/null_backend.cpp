// SPDX-License-Identifier: MIT
// null_backend.cpp - the two queues in user memory, and a wait that only a wake ends.
#include "backend/null/null_backend.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <new>
#include <utility>

#include "backend/null/null.hpp"
#include "backend/null/os.hpp"
#include "platform/clock.hpp"
#include "platform/text.hpp"

namespace ioring::backends::null {

std::error_code set_up(const backend_options& options, std::unique_ptr<backend>& out,
                       std::string& why) noexcept {
    std::unique_ptr<null_backend> made{new (std::nothrow) null_backend};
    if (made == nullptr) {
        why = "no memory for the null backend";
        return std::make_error_code(std::errc::not_enough_memory);
    }
    if (const std::error_code error = made->set_up(options, why); error) return error;
    out = std::move(made);
    return {};
}

std::error_code null_backend::set_up(const backend_options& options, std::string& why) {
    if (const std::error_code error = platform::wake_handle::create(wake_); error) {
        why = "no descriptor to wake the null backend by: " + error.message() +
              platform::advice_on(error.value());
        return error;
    }
    if (const std::error_code error = queues_.set_up(options); error) {
        why = "no memory for the queues of the null backend";
        return error;
    }
    view_ = queues_.view();
    probe_ = null::probe();
    description_ = "no I/O: everything completes at once; " + std::to_string(options.sq_entries) +
                   " SQEs, " + std::to_string(options.cq_entries) + " CQEs";
    return {};
}

inline std::uint32_t null_backend::submit(std::uint32_t to_submit) noexcept {
    const std::uint32_t most = std::min(to_submit, queues_.waiting());
    std::uint32_t taken = 0;
    linked_ = broken_ = false;  // A chain ends with its submission.
    // The zero line: what is measured with nops should be the ring, not this backend.
    const auto complete_plain_nop = [](const sqe& entry, cqe& done) {
        if (entry.op != opcode::nop || (entry.flags | entry.ioprio) != 0) return false;
        done = {.user_data = entry.user_data, .res = 0};
        return true;
    };
    while (taken < most && !overflow_full()) {
        const sqe& entry = queues_.entry(taken);
        cqe done{};
        ++taken;
        if (linked_ || !complete_plain_nop(entry, done)) {
            run(entry);
            continue;
        }
        queues_.post(done);
        if (taken < most) taken += queues_.post_while(taken, most, complete_plain_nop);
    }
    queues_.consume(taken);
    return taken;
}

int null_backend::enter(std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
                        std::int64_t timeout_ns) noexcept {
    if (const int error = owner_.claim(); error != 0) return error;
    const bool getevents = (flags & enter_flag::getevents) != 0;
    if (getevents) queues_.flush_overflow();
    const std::uint32_t taken = submit(to_submit);
    if (taken == 0 && overflow_full() && to_submit > 0) return -EBUSY;
    // As the kernel: no wait after fewer than it was given.
    if (!getevents || min_complete == 0 || taken < to_submit) return static_cast<int>(taken);
    const int result = queues_.ready() >= min_complete ? 0 : wait(timeout_ns);
    return taken > 0 ? static_cast<int>(taken) : result;
}

void null_backend::run(const sqe& entry) noexcept {
    const std::int32_t res = linked_ && broken_ ? -ECANCELED : results_.of(entry, linked_);
    const bool links = (entry.flags & (sqe_flag::io_link | sqe_flag::io_hardlink)) != 0;
    broken_ = links && ((linked_ && broken_) || breaks_link(entry, res));
    linked_ = links;
    const bool silent = res >= 0 && (entry.flags & sqe_flag::cqe_skip_success) != 0;
    if (!silent) queues_.post({.user_data = entry.user_data, .res = res});
}

// Nothing completes while it sleeps: only a wake, a signal or the time ends it.
int null_backend::wait(std::int64_t timeout_ns) noexcept {
    const std::uint64_t deadline =
        timeout_ns < 0 ? ~std::uint64_t{0}
                       : platform::deadline_ns(std::chrono::nanoseconds{timeout_ns});
    const int result = sleep(wake_, deadline);
    if (result == 0) wake_.drain();
    // As the kernel: no error while there is something to read.
    return queues_.ready() > 0 ? 0 : result;
}

int null_backend::wake() noexcept {
    if (owner_.forked()) return -EOWNERDEAD;
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
    if (const int error = owner_.check(); error != 0) return error;
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
