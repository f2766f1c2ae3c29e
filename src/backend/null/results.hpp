// SPDX-License-Identifier: MIT
// results.hpp - what each operation of the null backend comes to.
#pragma once

#include <cstdint>

#include "backend/backend.hpp"
#include "backend/emulation/buffer_table.hpp"
#include "ioring/sqe.hpp"

namespace ioring::backends::null {

// Descriptors that accept and socket give: numbers that no system gives out.
inline constexpr std::int32_t made_up_fd_min = 0x4000'0000;

// Opcodes and features that result_of() answers.
[[nodiscard]] probe_result probe() noexcept;

class results {
public:
    // The `res` of `entry`'s one completion. `linked`: the entry before it links to it.
    [[nodiscard]] std::int32_t of(const sqe& entry, bool linked) noexcept;

    [[nodiscard]] int pin(const kernel_buffer& buffer, std::uint32_t slot) noexcept {
        return pinned_.pin(buffer, slot);
    }
    [[nodiscard]] int unpin(std::uint32_t slot) noexcept { return pinned_.unpin(slot); }
    // As the system calls; nothing for a made-up descriptor.
    [[nodiscard]] static int close(std::int32_t fd) noexcept;
    [[nodiscard]] static int shutdown(std::int32_t fd, std::uint32_t how) noexcept;

private:
    [[nodiscard]] std::int32_t make_up_fd() noexcept;
    [[nodiscard]] std::int32_t of_fixed(const sqe& entry) const noexcept;
    [[nodiscard]] std::int32_t of_transfer(const sqe& entry) const noexcept;

    std::int32_t next_fd_ = made_up_fd_min;
    emulation::buffer_table pinned_;
};

// Whether a result of `entry` breaks the chain that it links to.
[[nodiscard]] bool breaks_link(const sqe& entry, std::int32_t res) noexcept;

}  // namespace ioring::backends::null
