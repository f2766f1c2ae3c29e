// SPDX-License-Identifier: MIT
// spin_lock.hpp - a lock for a few instructions, made at compile time.
//
// It spins, so that a forked child can take it from a thread that it does not have, and so that
// static objects may use it before and after main().
#pragma once

#include <atomic>
#include <thread>

namespace ioring::detail {

class spin_lock {
public:
    void lock() noexcept {
        while (held_.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
    }
    void unlock() noexcept { held_.clear(std::memory_order_release); }

private:
    std::atomic_flag held_ = ATOMIC_FLAG_INIT;
};

}  // namespace ioring::detail
