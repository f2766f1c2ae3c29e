// SPDX-License-Identifier: MIT
// process_posix.cpp - the fork generation and its hooks, on pthread_atfork().
#include <pthread.h>

#include <cassert>

#include "platform/process.hpp"

namespace ioring::platform {

namespace detail {
constinit std::atomic<std::uint32_t> fork_count{0};
}  // namespace detail

// The linked hooks, and the handlers that the system calls around every fork().
class fork_registry {
public:
    static void link(fork_hook& hook) noexcept {
        const lock held;
        assert(!hook.linked_);
        hook.previous_ = nullptr;
        hook.next_ = first_;
        if (first_ != nullptr) first_->previous_ = &hook;
        first_ = &hook;
        hook.linked_ = true;
    }

    static void unlink(fork_hook& hook) noexcept {
        const lock held;
        if (!hook.linked_) return;
        (hook.previous_ != nullptr ? hook.previous_->next_ : first_) = hook.next_;
        if (hook.next_ != nullptr) hook.next_->previous_ = hook.previous_;
        hook.linked_ = false;
    }

    // The list is held still while the process is copied.
    static void hold() noexcept { ::pthread_mutex_lock(&mutex_); }
    static void let_go() noexcept { ::pthread_mutex_unlock(&mutex_); }

    static void in_child() noexcept {
        detail::fork_count.fetch_add(1, std::memory_order_relaxed);
        // The only thread there is may let go before it walks, so that a hook can unlink itself.
        let_go();
        for (fork_hook* hook = first_; hook != nullptr;) {
            fork_hook* const next = hook->next_;
            hook->function_(hook->argument_);
            hook = next;
        }
    }

private:
    struct lock {
        lock() noexcept { hold(); }
        ~lock() { let_go(); }
        lock(const lock&) = delete;
        lock& operator=(const lock&) = delete;
    };

    // Not std::mutex: hooks of static objects unlink after static mutexes may have been destroyed.
    static constinit pthread_mutex_t mutex_;
    static constinit fork_hook* first_;
};

constinit pthread_mutex_t fork_registry::mutex_ = PTHREAD_MUTEX_INITIALIZER;
constinit fork_hook* fork_registry::first_ = nullptr;

void fork_hook::link() noexcept { fork_registry::link(*this); }

void fork_hook::unlink() noexcept { fork_registry::unlink(*this); }

namespace {

// `static`: C names are visible from outside, unnamed namespace or not.
extern "C" {
static void ioring_before_fork() { fork_registry::hold(); }
static void ioring_in_parent() { fork_registry::let_go(); }
static void ioring_in_child() { fork_registry::in_child(); }
}

// Before main(), and so before anything of ours could be forked. It fails only without memory for
// three pointers, and then forks go unnoticed.
[[maybe_unused]] const int installed =
    ::pthread_atfork(ioring_before_fork, ioring_in_parent, ioring_in_child);

}  // namespace
}  // namespace ioring::platform
