// SPDX-License-Identifier: MIT
// ring_index.hpp - a ring's number in its owner thread's own table, which enter() takes for less
// than a descriptor.
//
// The kernel keeps 16 such numbers a thread, knows them in that thread only, and holds the ring
// open by each. So a number must be given back by its thread: one that is released elsewhere is
// noted and given back when that thread next acquires one (or ends, by the kernel).
#pragma once

#include <cstdint>
#include <utility>

#include "backend/uring/kernel.hpp"

namespace ioring::backends::uring {

struct thread_numbers;

class ring_index {
public:
    // Takes a number for `ring` in the calling thread's table. Returns 0 or -errno: -EBUSY when all
    // 16 are taken, -EINVAL before Linux 5.18.
    [[nodiscard]] static int acquire(const kernel& kernel, int ring, ring_index& out) noexcept;

    ring_index() noexcept = default;
    ring_index(ring_index&& other) noexcept
        : value_{std::exchange(other.value_, -1)},
          home_{std::exchange(other.home_, nullptr)},
          thread_{other.thread_} {}
    ring_index& operator=(ring_index&&) = delete;
    // Precondition: released, or in a forked child, which has no such table.
    ~ring_index();

    [[nodiscard]] bool held() const noexcept { return value_ >= 0; }
    [[nodiscard]] int get() const noexcept { return value_; }
    // From any thread. `ring`: any ring that the calling thread may use.
    void release(const kernel& kernel, int ring) noexcept;

private:
    int value_ = -1;
    thread_numbers* home_ = nullptr;
    std::uint64_t thread_ = 0;
};

}  // namespace ioring::backends::uring
