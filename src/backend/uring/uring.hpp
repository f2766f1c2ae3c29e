// SPDX-License-Identifier: MIT
// uring.hpp - set-up of the io_uring backend.
#pragma once

#include <memory>
#include <string>
#include <system_error>

#include "backend/backend.hpp"
#include "backend/uring/kernel.hpp"

namespace ioring::backends::uring {

// See backend.hpp, setup_function. The first call of a process finds out what the kernel can do, on
// a ring of its own (about 1 ms); the others reuse that.
[[nodiscard]] std::error_code set_up(const backend_options& options, std::unique_ptr<backend>& out,
                                     std::string& why) noexcept;

// For tests: as set_up() on a kernel that lacks what `mask` names, found out anew each time.
[[nodiscard]] std::error_code set_up_masked(const backend_options& options, const kernel_mask& mask,
                                            std::unique_ptr<backend>& out,
                                            std::string& why) noexcept;

}  // namespace ioring::backends::uring
