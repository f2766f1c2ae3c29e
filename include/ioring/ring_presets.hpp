// SPDX-License-Identifier: MIT
// ring_presets.hpp - three starting points for a ring's options, to be changed like any options.
//
// They differ in sizes and in waiting only. io_uring's own flags (DEFER_TASKRUN, SINGLE_ISSUER,
// NO_SQARRAY) are for each of them the best that the kernel takes, found by trial, and one that it
// refuses is left out: backend_info::description tells which there are. So no preset fails where
// the defaults work, but for memory. docs/measuring.md says how to find out what a program needs.
#pragma once

#include <chrono>

#include "ioring/ring_options.hpp"

namespace ioring::presets {

// For tens of thousands of connections and for bulk. A turn of the loop can prepare for most of
// them before it must submit, and a burst of completions seldom waits outside the queue. About
// 3 MiB of queues and tables, twice the defaults. It sleeps when there is nothing to do.
[[nodiscard]] constexpr ring_options throughput() noexcept {
    ring_options options;
    options.sq_entries = 16'384;
    options.cq_entries = ring_options::cq_entries_max;
    options.connections_max = 65'536;
    options.posts_max = 4'096;
    return options;
}

// For few connections whose answers are awaited. Looks for completions for 50 us before it sleeps,
// because being woken costs more than most answers take: that burns a core while messages are due,
// and nothing later than 50 us after the last one. Queues that stay in a core's cache.
[[nodiscard]] constexpr ring_options latency() noexcept {
    ring_options options;
    options.sq_entries = 512;
    options.cq_entries = 2'048;
    options.connections_max = 1'024;
    options.spin = std::chrono::microseconds{50};
    return options;
}

// For many rings in a process, and for small machines: about 22 KiB of queues and tables, where the
// defaults have 1.5 MiB. Larger bursts cost further system calls, never a completion.
[[nodiscard]] constexpr ring_options frugal() noexcept {
    ring_options options;
    options.sq_entries = 64;
    options.cq_entries = 256;
    options.connections_max = 1'024;
    options.posts_max = 64;
    return options;
}

}  // namespace ioring::presets
