// SPDX-License-Identifier: MIT
// ring_file.hpp - one kernel ring, set up but not yet enabled: its descriptor and its two queues.
#pragma once

#include <cstdint>

#include "backend/uring/abi.hpp"
#include "backend/uring/kernel.hpp"
#include "backend/uring/mapping.hpp"
#include "ioring/layout.hpp"

namespace ioring::backends::uring {

class ring_file {
public:
    // Sets up a disabled ring with exactly `setup_flags` (cq_size, clamp and ring_disabled are
    // added). Returns 0 or -errno; on an error `out` is unchanged and nothing stays open.
    [[nodiscard]] static int create(const kernel& kernel, std::uint32_t setup_flags,
                                    std::uint32_t sq_entries, std::uint32_t cq_entries,
                                    ring_file& out) noexcept;

    [[nodiscard]] int get() const noexcept { return file_.get(); }
    [[nodiscard]] const ring_view& view() const noexcept { return view_; }
    // The ring belongs to the calling thread from now on. Returns 0 or -errno.
    [[nodiscard]] int enable(const kernel& kernel) const noexcept {
        return kernel.register_(get(), register_code::enable_rings, nullptr, 0);
    }
    // Only the descriptor: in a forked child, where the memory is not mapped.
    void close() noexcept { file_.close(); }

private:
    [[nodiscard]] int map(const ring_params& params) noexcept;
    void fill_view(const ring_params& params) noexcept;

    // Destroyed last to first: unmapped before it is closed.
    descriptor file_;
    mapping queues_;
    mapping sqes_;
    ring_view view_;
};

}  // namespace ioring::backends::uring
