// SPDX-License-Identifier: MIT
// error.hpp - results of operations as std::error_code.
#pragma once

#include <system_error>

#include "ioring/sqe.hpp"

namespace ioring {

// The error in a result as `-errno`, or none when `res` is not negative. It is of the generic
// category, so that it compares with std::errc on every system (Windows codes are mapped to errno
// before a CQE is posted).
[[nodiscard]] inline std::error_code error_of(int res) noexcept {
    if (res >= 0) return {};
    return {-res, std::generic_category()};
}

// That of its result.
[[nodiscard]] inline std::error_code error_of(const cqe& done) noexcept {
    return error_of(done.res);
}

}  // namespace ioring
