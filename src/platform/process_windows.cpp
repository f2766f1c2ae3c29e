// SPDX-License-Identifier: MIT
// process_windows.cpp - Windows has no fork(): the generation stays 0 and no hook is ever called.
#include <cassert>

#include "platform/process.hpp"

namespace ioring::platform {

namespace detail {
constinit std::atomic<std::uint32_t> fork_count{0};
}  // namespace detail

void fork_hook::link() noexcept {
    assert(!linked_);
    linked_ = true;
}

void fork_hook::unlink() noexcept { linked_ = false; }

}  // namespace ioring::platform
