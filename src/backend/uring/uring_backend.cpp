// SPDX-License-Identifier: MIT
// uring_backend.cpp - the life of a ring: made, owned, destroyed.
#include "backend/uring/uring_backend.hpp"

#include <cassert>
#include <cerrno>
#include <new>
#include <utility>

#include "backend/uring/refusal.hpp"
#include "base/thread_token.hpp"
#include "platform/process.hpp"

namespace ioring::backends::uring {

uring_backend::uring_backend(const kernel_mask& mask, const abilities& known) noexcept
    : kernel_{mask}, generation_{platform::fork_generation()}, owner_{detail::no_thread} {
    probe_ = known.probe;
}

std::error_code uring_backend::create(const backend_options& options, const kernel_mask& mask,
                                      const abilities& known, std::unique_ptr<backend>& out,
                                      std::string& why) {
    std::unique_ptr<uring_backend> made{new (std::nothrow) uring_backend(mask, known)};
    if (made == nullptr) {
        why = "no memory for a ring";
        return std::make_error_code(std::errc::not_enough_memory);
    }
    if (const int error = ring_file::create(made->kernel_, known.setup_flags, options.sq_entries,
                                            options.cq_entries, made->ring_);
        error != 0) {
        return explain_setup_error(error, options.sq_entries, options.cq_entries, why);
    }
    if (const std::error_code error = platform::wake_handle::create(made->wake_); error) {
        return explain_setup_error(-error.value(), options.sq_entries, options.cq_entries, why);
    }
    if (known.probe.has(feature::registered_wait) &&
        wait_region::create(made->kernel_, made->ring_.get(), made->waits_) != 0) {
        made->probe_.features.reset(static_cast<std::size_t>(feature::registered_wait));
    }
    made->view_ = made->ring_.view();
    made->enter_file_ = made->ring_.get();
    made->describe(known);
    out = std::move(made);
    return {};
}

uring_backend::~uring_backend() {
    if (check_process() != 0) {
        abandon();
        return;
    }
    index_.release(kernel_, ring_.get());
}

int uring_backend::check_owner() noexcept {
    if (const int error = check_process(); error != 0) return error;
    if (owner_ == detail::no_thread || owner_ == detail::thread_token()) return 0;
    // Not left to the kernel: it checks from Linux 6.0 on, and a number in this thread's table may
    // be that of another ring.
    return -EEXIST;
}

int uring_backend::take_ownership() noexcept {
    assert(owner_ == detail::no_thread);
    if (const int error = ring_.enable(kernel_); error != 0) return error;
    owner_ = detail::thread_token();
    if (!probe_.has(feature::registered_ring)) return 0;
    if (ring_index::acquire(kernel_, ring_.get(), index_) == 0) {
        enter_file_ = index_.get();
        enter_bits_ = enter_bit::registered_ring;
    } else {
        // All 16 numbers of this thread are taken: the descriptor does as well.
        probe_.features.reset(static_cast<std::size_t>(feature::registered_ring));
    }
    return 0;
}

int uring_backend::register_(register_op operation, void* argument, std::uint32_t count) noexcept {
    // First, because it may be a signal handler that calls.
    if (operation == register_op::wake) {
        if (const int error = check_process(); error != 0) return error;
        wake_.signal();
        return 0;
    }
    if (operation == register_op::abandon_after_fork) {
        abandon();
        return 0;
    }
    if (operation == register_op::message_descriptor) {
        const int error = check_process();
        return error != 0 ? error : ring_.get();
    }
    if (const int error = check_owner(); error != 0) return error;
    return register_owned(operation, argument, count);
}

void uring_backend::abandon() noexcept {
    // The kernel forgets neither: both stay open in the parent. The memory is not mapped here.
    ring_.close();
    wake_.close();
}

void uring_backend::describe(const abilities& known) {
    description_ = "io_uring";
    for (const rung& candidate : rungs()) {
        if (candidate.setup_flags == known.setup_flags) {
            description_ += ", ";
            description_ += candidate.name;
        }
    }
    description_ += ", " + std::to_string(view_.sq_entries) + " SQEs, " +
                    std::to_string(view_.cq_entries) + " CQEs; " + to_string(probe_);
}

}  // namespace ioring::backends::uring
