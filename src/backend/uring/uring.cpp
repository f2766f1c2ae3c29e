// SPDX-License-Identifier: MIT
// uring.cpp - from what is known of the kernel to a ring.
#include "backend/uring/uring.hpp"

#include "backend/uring/detect.hpp"
#include "backend/uring/uring_backend.hpp"

namespace ioring::backends::uring {

std::error_code set_up(const backend_options& options, std::unique_ptr<backend>& out,
                       std::string& why) noexcept {
    abilities known;
    if (const std::error_code error = detect_once(known, why); error) return error;
    return uring_backend::create(options, kernel_mask{}, known, out, why);
}

std::error_code set_up_masked(const backend_options& options, const kernel_mask& mask,
                              std::unique_ptr<backend>& out, std::string& why) noexcept {
    abilities known;
    if (const std::error_code error = detect(kernel{mask}, known, why); error) return error;
    return uring_backend::create(options, mask, known, out, why);
}

}  // namespace ioring::backends::uring
