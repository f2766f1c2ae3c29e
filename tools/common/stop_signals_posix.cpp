// SPDX-License-Identifier: MIT
// stop_signals_posix.cpp - sigaction for SIGINT and SIGTERM.
#include "common/stop_signals.hpp"

#include <signal.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <thread>

namespace ioring::tools {
namespace {

// Handlers may touch lock-free atomics only.
std::atomic<int> signals_count{0};
std::array<std::atomic<ring*>, stop_signals::rings_max> rings_to_wake{};
// Handlers that may be using a ring.
std::atomic<int> handlers_at_work{0};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<ring*>::is_always_lock_free);

struct sigaction previous_int;
struct sigaction previous_term;
bool installed = false;

void count_and_wake() noexcept {
    signals_count.fetch_add(1);
    // In one order for all with detach(), which takes a ring away and then looks for handlers.
    handlers_at_work.fetch_add(1);
    for (std::atomic<ring*>& each : rings_to_wake) {
        if (ring* const which = each.load()) which->wake();
    }
    handlers_at_work.fetch_sub(1);
}

void on_stop(int) {
    const int saved = errno;
    count_and_wake();
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
    for (std::atomic<ring*>& each : rings_to_wake) each.store(nullptr);
    installed = false;
}

void stop_signals::attach(ring& which) noexcept {
    const auto place = [&which](std::atomic<ring*>& each) {
        ring* none = nullptr;
        return each.compare_exchange_strong(none, &which);
    };
    [[maybe_unused]] const bool found =
        std::any_of(rings_to_wake.begin(), rings_to_wake.end(), place);
    assert(found);
    if (requested()) which.wake();  // It came before.
}

void stop_signals::detach(ring& which) noexcept {
    for (std::atomic<ring*>& each : rings_to_wake) {
        ring* attached = &which;
        if (each.compare_exchange_strong(attached, nullptr)) break;
    }
    // A handler on another thread may have read the place before. (One that has interrupted this
    // thread has returned.)
    while (handlers_at_work.load() != 0) std::this_thread::yield();
}

void stop_signals::request() noexcept { count_and_wake(); }

int stop_signals::count() const noexcept { return signals_count.load(std::memory_order_relaxed); }

}  // namespace ioring::tools
