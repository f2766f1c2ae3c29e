// SPDX-License-Identifier: MIT
// kernel.hpp - the three system calls, and a kernel that knows less than this one.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>

#include "backend/uring/abi.hpp"
#include "ioring/probe.hpp"

namespace ioring::backends::uring {

// The calls themselves: 0 or more, or -errno. `errno` may change.
int call_io_uring_setup(std::uint32_t entries, ring_params& params) noexcept;
int call_io_uring_enter(int ring, std::uint32_t to_submit, std::uint32_t min_complete,
                        std::uint32_t flags, const void* argument,
                        std::size_t argument_bytes) noexcept;
int call_io_uring_register(int ring, register_code code, void* argument,
                           std::uint32_t count) noexcept;

// What tests take away from the kernel, so that set-up meets an older one. Nothing by default.
struct kernel_mask {
    std::uint32_t setup_flags = 0;
    std::uint32_t enter_flags = 0;
    std::bitset<64> register_codes;
    std::bitset<256> opcodes;
    std::bitset<static_cast<std::size_t>(feature::count)> features;
};

// The kernel as set-up and detection see it: what the mask names is refused with -EINVAL, as a
// kernel that does not know it does.
class kernel {
public:
    explicit kernel(const kernel_mask& mask) noexcept : mask_{mask} {}

    [[nodiscard]] int setup(std::uint32_t entries, ring_params& params) const noexcept;
    int enter(int ring, std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
              const void* argument, std::size_t argument_bytes) const noexcept;
    int register_(int ring, register_code code, void* argument, std::uint32_t count) const noexcept;

    [[nodiscard]] bool hides(feature which) const noexcept {
        return mask_.features.test(static_cast<std::size_t>(which));
    }
    [[nodiscard]] bool hides_opcode(std::size_t code) const noexcept {
        return mask_.opcodes.test(code);
    }

private:
    kernel_mask mask_;
};

}  // namespace ioring::backends::uring
