// SPDX-License-Identifier: MIT
// descriptor_guard.hpp - a descriptor that is closed unless it is handed on.
#pragma once

#include <utility>

#include "platform/socket.hpp"

namespace ioring::platform {

class descriptor_guard {
public:
    descriptor_guard() noexcept = default;
    explicit descriptor_guard(int descriptor) noexcept : descriptor_(descriptor) {}
    descriptor_guard(const descriptor_guard&) = delete;
    descriptor_guard& operator=(const descriptor_guard&) = delete;
    ~descriptor_guard() {
        if (descriptor_ >= 0) close_socket(descriptor_);
    }

    [[nodiscard]] int get() const noexcept { return descriptor_; }
    // Where a call puts the descriptor that it opens. Precondition: holds none.
    [[nodiscard]] int& slot() noexcept { return descriptor_; }
    [[nodiscard]] int release() noexcept { return std::exchange(descriptor_, -1); }

private:
    int descriptor_ = -1;
};

}  // namespace ioring::platform
