// SPDX-License-Identifier: MIT
// layout.hpp - where the two queues lie and who may write which word.
//
// Both queues are arrays of a power of two with a free-running 32-bit head and tail. The program
// writes `sq_tail` and `cq_head`, the backend writes the rest. The words are in memory shared with
// the kernel on the uring backend and in ordinary memory elsewhere.
#pragma once

#include <atomic>
#include <cstdint>

#include "ioring/sqe.hpp"

namespace ioring {

// Bits of what `sq_flags` of a ring_view points at.
namespace sq_flag {
inline constexpr std::uint32_t need_wakeup = 1U << 0;  // A polling kernel thread sleeps; unused.
inline constexpr std::uint32_t cq_overflow = 1U << 1;  // Completions wait outside the queue: enter.
inline constexpr std::uint32_t taskrun = 1U << 2;  // Completions wait for an enter to post them.
}  // namespace sq_flag

// Where a backend has put its queues. It owns nothing.
struct ring_view {
    sqe* sqes = nullptr;  // sq_entries of them.
    cqe* cqes = nullptr;  // cq_entries of them.
    // Backend: release when entries were consumed. Program: acquire before it writes an entry
    // again.
    std::atomic<std::uint32_t>* sq_head = nullptr;
    // Program: release when entries are complete. Backend: acquire before it reads them.
    std::atomic<std::uint32_t>* sq_tail = nullptr;
    // Bits of sq_flag. Backend: release. Program: acquire.
    std::atomic<std::uint32_t>* sq_flags = nullptr;
    // Program: release when entries were read. Backend: acquire before it overwrites them.
    std::atomic<std::uint32_t>* cq_head = nullptr;
    // Backend: release when entries are complete. Program: acquire before it reads them.
    std::atomic<std::uint32_t>* cq_tail = nullptr;
    // Completions that a backend had to throw away. No backend of this library does; see the
    // contract.
    std::atomic<std::uint32_t>* cq_overflow = nullptr;
    std::uint32_t sq_entries = 0;  // A power of two, or 0 when there is no ring.
    std::uint32_t cq_entries = 0;  // A power of two, or 0.
};
static_assert(sizeof(std::atomic<std::uint32_t>) == 4 &&
              std::atomic<std::uint32_t>::is_always_lock_free);

}  // namespace ioring
