// SPDX-License-Identifier: MIT
// owner.hpp - who may call a backend: the thread of the first enter(), and no forked child.
#pragma once

#include <cerrno>
#include <cstdint>

#include "base/thread_token.hpp"
#include "platform/process.hpp"

namespace ioring::backends::emulation {

class owner_check {
public:
    // 0, -EOWNERDEAD in a forked child, or -EEXIST in another thread than the owner. Before there
    // is an owner anyone may.
    [[nodiscard]] int check() const noexcept {
        if (forked()) return -EOWNERDEAD;
        const bool may = owner_ == detail::no_thread || detail::is_this_thread(owner_);
        return may ? 0 : -EEXIST;
    }
    // As check(), and makes the calling thread the owner if there was none.
    [[nodiscard]] int claim() noexcept {
        const int error = check();
        if (error == 0 && owner_ == detail::no_thread) owner_ = detail::thread_token();
        return error;
    }
    // Any thread, any signal handler.
    [[nodiscard]] bool forked() const noexcept {
        return generation_ != platform::fork_generation();
    }

private:
    std::uint64_t owner_ = detail::no_thread;
    std::uint32_t generation_ = platform::fork_generation();
};

}  // namespace ioring::backends::emulation
