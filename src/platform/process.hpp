// SPDX-License-Identifier: MIT
// process.hpp - noticing that this process is the child of a fork().
//
// A forked child shares descriptors and shared memory with its parent. What must not be used by
// both (rings, mirrored buffers) compares the generation it was made in with the present one, or
// links a hook that makes it harmless. Only fork() is noticed, not the bare system call, vfork() or
// posix_spawn() (after which the child runs another program anyway).
#pragma once

#include <atomic>
#include <cstdint>

namespace ioring::platform {

namespace detail {
extern std::atomic<std::uint32_t> fork_count;
}  // namespace detail

// How many fork()s lie between this process and the one that the library was loaded in; a child's
// is one more than its parent's. Any thread, any signal handler; one load.
[[nodiscard]] inline std::uint32_t fork_generation() noexcept {
    // Relaxed: it changes only in a new child, which has one thread.
    return detail::fork_count.load(std::memory_order_relaxed);
}

// Calls `function(argument)` in every child forked while it is linked, before fork() returns there.
//
// Intrusive: linking allocates nothing and cannot fail. The hook must stay where it is while
// linked, so it is neither copied nor moved; its destructor unlinks it. In the child it stays
// linked.
//
// `function` runs in a process with one thread, in which other threads' locks may be held for ever:
// it may make async-signal-safe calls and write to its own object, and it may unlink its own hook
// but link or unlink no other. The order of hooks is unspecified.
//
// Threads: link() and unlink() may be called from any thread, for one hook not at the same time.
// After unlink() the function is not called any more, also by a fork() that another thread is in.
class fork_hook {
public:
    using function_type = void (*)(void* argument) noexcept;

    fork_hook(function_type function, void* argument) noexcept
        : function_(function), argument_(argument) {}
    fork_hook(const fork_hook&) = delete;
    fork_hook& operator=(const fork_hook&) = delete;
    ~fork_hook() { unlink(); }

    // Precondition: not linked.
    void link() noexcept;
    // Nothing when it is not linked.
    void unlink() noexcept;
    [[nodiscard]] bool linked() const noexcept { return linked_; }

private:
    friend class fork_registry;

    function_type function_;
    void* argument_;
    fork_hook* previous_ = nullptr;
    fork_hook* next_ = nullptr;
    bool linked_ = false;
};

}  // namespace ioring::platform
