// SPDX-License-Identifier: MIT
// trial_ring.hpp - a small ring to try the kernel's abilities on, one operation at a time.
#pragma once

#include <cstdint>
#include <optional>

#include "backend/uring/kernel.hpp"
#include "backend/uring/ring_file.hpp"
#include "ioring/sqe.hpp"

namespace ioring::backends::uring {

// Used by one thread: the one that calls start().
class trial_ring {
public:
    trial_ring(const kernel& kernel, ring_file ring) noexcept
        : kernel_{kernel}, ring_{std::move(ring)} {}
    trial_ring(const trial_ring&) = delete;
    trial_ring& operator=(const trial_ring&) = delete;
    ~trial_ring() = default;

    // Enables the ring and lets a nop go round. 0 or -errno: of the call that was refused, or -EIO
    // when the nop did not come back.
    [[nodiscard]] int start() noexcept;

    // Submits `entry` under a user_data of its own and waits for its first completion; none when it
    // has not come within a second or enter failed.
    std::optional<cqe> run(const sqe& entry) noexcept;
    // The next completion of the last run(), or none within a second.
    std::optional<cqe> next() noexcept;
    // Submits `entry` and waits for nothing.
    void submit(const sqe& entry) noexcept;
    // Ends everything in flight.
    void cancel_everything() noexcept;

    [[nodiscard]] int get() const noexcept { return ring_.get(); }
    [[nodiscard]] const kernel& calls() const noexcept { return kernel_; }
    // The user_data of the last entry.
    [[nodiscard]] std::uint64_t last() const noexcept { return last_; }

private:
    int enter(std::uint32_t to_submit, std::uint32_t min_complete) noexcept;
    void push(const sqe& entry) noexcept;
    std::optional<cqe> take() noexcept;

    const kernel& kernel_;
    ring_file ring_;
    std::uint64_t last_ = 0;
};

}  // namespace ioring::backends::uring
