// SPDX-License-Identifier: MIT
// wait_region.hpp - memory through which a wait's time-out reaches the kernel without a copy.
#pragma once

#include <cstdint>

#include "backend/uring/abi.hpp"
#include "backend/uring/kernel.hpp"
#include "backend/uring/mapping.hpp"

namespace ioring::backends::uring {

// A time as the kernel takes it. Precondition: not negative.
[[nodiscard]] kernel_timespec timespec_of(std::int64_t time_ns) noexcept;

class wait_region {
public:
    // Registers one page with `ring`, which must not be enabled yet. Returns 0 or -errno; -EINVAL
    // before Linux 6.13. The page must live as long as the ring: the kernel has it pinned.
    [[nodiscard]] static int create(const kernel& kernel, int ring, wait_region& out) noexcept;

    // What to pass to enter() with `flags` for a wait of at most `timeout_ns`: an offset.
    static constexpr const void* argument = nullptr;
    static constexpr std::size_t argument_bytes = sizeof(registered_wait_arg);
    static constexpr std::uint32_t flags = enter_bit::ext_arg | enter_bit::ext_arg_reg;

    [[nodiscard]] bool registered() const noexcept { return page_.data() != nullptr; }
    void set_timeout(std::int64_t timeout_ns) noexcept {
        page_.at<registered_wait_arg>(0)->timeout = timespec_of(timeout_ns);
    }

private:
    mapping page_;
};

}  // namespace ioring::backends::uring
