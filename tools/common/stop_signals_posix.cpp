// SPDX-License-Identifier: MIT
// stop_signals_posix.cpp - sigaction for SIGINT and SIGTERM.
#include "common/stop_signals.hpp"

#include <signal.h>

#include <atomic>
#include <cassert>
#include <cerrno>

namespace ioring::tools {
namespace {

// Handlers may touch lock-free atomics only.
std::atomic<int> signals_count{0};
std::atomic<ring*> ring_to_wake{nullptr};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<ring*>::is_always_lock_free);

struct sigaction previous_int;
struct sigaction previous_term;
bool installed = false;

void on_stop(int) {
    const int saved = errno;
    signals_count.fetch_add(1, std::memory_order_relaxed);
    // Acquire: the ring was complete before attach() published it (pairs with its release).
    if (ring* const which = ring_to_wake.load(std::memory_order_acquire)) which->wake();
    errno = saved;
}

}  // namespace

stop_signals::stop_signals() noexcept {
    assert(!installed);
    installed = true;
    signals_count.store(0, std::memory_order_relaxed);
    struct sigaction action {};
    action.sa_handler = on_stop;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &previous_int);
    sigaction(SIGTERM, &action, &previous_term);
}

stop_signals::~stop_signals() {
    sigaction(SIGINT, &previous_int, nullptr);
    sigaction(SIGTERM, &previous_term, nullptr);
    detach();
    installed = false;
}

void stop_signals::attach(ring& which) noexcept {
    ring_to_wake.store(&which, std::memory_order_release);
    if (requested()) which.wake();  // It came before.
}

void stop_signals::detach() noexcept { ring_to_wake.store(nullptr, std::memory_order_release); }

int stop_signals::count() const noexcept { return signals_count.load(std::memory_order_relaxed); }

}  // namespace ioring::tools
