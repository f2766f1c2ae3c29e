// SPDX-License-Identifier: MIT
// null_backend.hpp - the backend that does nothing, at once: the zero line.
//
// It keeps the contract to the letter and does no I/O: transfers report all bytes, without touching
// them; accept and socket give made-up descriptors; a timer is over at once; there is never
// anything in flight to cancel. Only what would leak is real: close and shutdown of real
// descriptors. Each multishot operation ends with its first completion.
//
// Completions are made inside enter(). What does not fit the completion queue waits in a queue as
// large as the submission queue; when that is full too, enter() takes no more.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "backend/backend.hpp"
#include "backend/null/results.hpp"
#include "platform/wake_handle.hpp"

namespace ioring::backends::null {

class null_backend final : public backend {
public:
    null_backend(const backend_options& options, platform::wake_handle&& wake);

    int enter(std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
              std::int64_t timeout_ns) noexcept override;
    int register_(register_op operation, void* argument, std::uint32_t count) noexcept override;

private:
    [[nodiscard]] int check_owner() noexcept;
    [[nodiscard]] std::uint32_t submit(std::uint32_t to_submit) noexcept;
    void run(const sqe& entry) noexcept;
    void post(const cqe& done) noexcept;
    void flush_overflow() noexcept;
    [[nodiscard]] bool overflow_full() const noexcept {
        return overflow_tail_ - overflow_head_ == view_.sq_entries;
    }
    [[nodiscard]] int wait(std::uint32_t min_complete, std::int64_t timeout_ns) noexcept;
    [[nodiscard]] std::uint32_t ready() const noexcept;
    int wake() noexcept;

    // The words of the two queues; see layout.hpp for who writes which.
    struct words {
        std::atomic<std::uint32_t> sq_head{0};
        std::atomic<std::uint32_t> sq_tail{0};
        std::atomic<std::uint32_t> sq_flags{0};
        std::atomic<std::uint32_t> cq_head{0};
        std::atomic<std::uint32_t> cq_tail{0};
        std::atomic<std::uint32_t> cq_overflow{0};
    };

    words words_;
    std::vector<sqe> sqes_;
    std::vector<cqe> cqes_;
    std::vector<cqe> overflow_;  // A circular queue: [overflow_head_, overflow_tail_).
    std::uint32_t overflow_head_ = 0;
    std::uint32_t overflow_tail_ = 0;
    bool linked_ = false;  // The entry before links to this one ...
    bool broken_ = false;  // ... and the chain is broken.
    results results_;
    platform::wake_handle wake_;
    std::uint32_t generation_;  // platform::fork_generation() of the process that made it.
    std::uint64_t owner_;       // The thread_token() of the owner, or no_thread.
};

}  // namespace ioring::backends::null
