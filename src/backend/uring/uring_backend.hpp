// SPDX-License-Identifier: MIT
// uring_backend.hpp - the backend that is the kernel's own io_uring.
//
// A ring is set up disabled, in any thread, and enabled by the first enter(), whose thread owns it
// from then on. Until that moment register_() works from any one thread; afterwards from the owner
// only. Whatever detection found is used; what a single ring is then refused (a number in the
// thread's table, a page for waits) it does without.
#pragma once

#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>

#include "backend/backend.hpp"
#include "backend/uring/detect.hpp"
#include "backend/uring/kernel.hpp"
#include "backend/uring/ring_file.hpp"
#include "backend/uring/ring_index.hpp"
#include "backend/uring/wait_region.hpp"
#include "platform/process.hpp"
#include "platform/wake_handle.hpp"

namespace ioring::backends::uring {

class uring_backend final : public backend {
public:
    // Slots of pin_buffer: the most that the kernel has.
    static constexpr std::uint32_t buffer_slots = 16'384;

    // Makes `out` a disabled ring of `options` that uses what `known` says the kernel can do.
    [[nodiscard]] static std::error_code create(const backend_options& options,
                                                const kernel_mask& mask, const abilities& known,
                                                std::unique_ptr<backend>& out, std::string& why);
    ~uring_backend() override;

    int enter(std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
              std::int64_t timeout_ns) noexcept override;
    int register_(register_op operation, void* argument, std::uint32_t count) noexcept override;

    // Calls of io_uring_enter since creation.
    [[nodiscard]] std::uint64_t enter_calls() const noexcept { return enter_calls_; }

private:
    uring_backend(const kernel_mask& mask, const abilities& known) noexcept;

    // What enter() and register_() ask first: 0, or -errno when this caller may not.
    [[nodiscard]] int check_process() const noexcept {
        return generation_ == platform::fork_generation() ? 0 : -EOWNERDEAD;
    }
    [[nodiscard]] int check_owner() noexcept;
    [[nodiscard]] int take_ownership() noexcept;

    int enter_timed(std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t bits,
                    std::int64_t timeout_ns) noexcept;
    int register_owned(register_op operation, void* argument, std::uint32_t count) noexcept;
    int pin_buffer(const kernel_buffer& buffer, std::uint32_t slot) noexcept;
    int update_slot(const kernel_buffer& buffer, std::uint32_t slot) noexcept;
    int add_buffer_ring(const buffer_ring& ring) noexcept;
    int remove_buffer_ring(std::uint16_t group) noexcept;
    void abandon() noexcept;
    void describe(const abilities& known);

    // Destroyed last to first: the ring before the memory that it has pinned.
    const kernel kernel_;
    wait_region waits_;
    ring_file ring_;
    platform::wake_handle wake_;
    ring_index index_;
    // What enter() passes: the number in the thread's table with its bit, or the descriptor.
    int enter_file_ = -1;
    std::uint32_t enter_bits_ = 0;
    std::uint32_t generation_;  // platform::fork_generation() of the process that made it.
    bool buffers_registered_ = false;
    std::uint64_t owner_;  // The thread_token() of the owner, or no_thread.
    std::uint64_t enter_calls_ = 0;
};

}  // namespace ioring::backends::uring
