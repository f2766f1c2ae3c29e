// SPDX-License-Identifier: MIT
// stop_signals_windows.cpp - Ctrl+C, Ctrl+Break and the closing of the console, for SIGINT and
// SIGTERM.
//
// Windows calls the handler on a thread of its own.
#include "common/stop_signals.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <mutex>

#include "common/system_windows.hpp"

namespace ioring::tools {
namespace {

std::atomic<int> signals_count{0};
std::mutex rings_lock;  // A ring must not go while the handler wakes it.
std::array<ring*, stop_signals::rings_max> rings_to_wake{};
bool installed = false;

void count_and_wake() noexcept {
    signals_count.fetch_add(1);
    const std::lock_guard hold{rings_lock};
    for (ring* const which : rings_to_wake) {
        if (which != nullptr) which->wake();
    }
}

BOOL WINAPI on_stop(DWORD what) {
    count_and_wake();
    // Windows ends the process as soon as this returns, and after some seconds in any case.
    if (what != CTRL_C_EVENT && what != CTRL_BREAK_EVENT) Sleep(INFINITE);
    return TRUE;
}

}  // namespace

stop_signals::stop_signals() noexcept {
    assert(!installed);
    installed = true;
    signals_count.store(0, std::memory_order_relaxed);
    SetConsoleCtrlHandler(on_stop, TRUE);
}

stop_signals::~stop_signals() {
    SetConsoleCtrlHandler(on_stop, FALSE);
    const std::lock_guard hold{rings_lock};
    rings_to_wake.fill(nullptr);
    installed = false;
}

void stop_signals::attach(ring& which) noexcept {
    {
        const std::lock_guard hold{rings_lock};
        auto* const free = std::find(rings_to_wake.begin(), rings_to_wake.end(), nullptr);
        assert(free != rings_to_wake.end());
        *free = &which;
    }
    if (requested()) which.wake();  // It came before.
}

void stop_signals::detach(ring& which) noexcept {
    const std::lock_guard hold{rings_lock};
    std::replace(rings_to_wake.begin(), rings_to_wake.end(), &which, static_cast<ring*>(nullptr));
}

void stop_signals::request() noexcept { count_and_wake(); }

int stop_signals::count() const noexcept { return signals_count.load(std::memory_order_relaxed); }

}  // namespace ioring::tools
