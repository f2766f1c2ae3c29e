// SPDX-License-Identifier: MIT
// ring_options.hpp - what a ring is asked to be, and what it says of itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace ioring {

// How a ring is made.
struct ring_options {
    static constexpr std::uint32_t sq_entries_min = 8;       // Of sq_entries.
    static constexpr std::uint32_t sq_entries_max = 32'768;  // Of sq_entries: Linux's limit.
    static constexpr std::uint32_t cq_entries_max = 65'536;  // Of cq_entries: Linux's limit.
    static constexpr std::uint32_t connections_max_max = 1U << 24U;  // Of connections_max.
    static constexpr std::uint32_t posts_max_max = 1U << 20U;        // Of posts_max.
    // Of spin.
    static constexpr std::chrono::nanoseconds spin_max = std::chrono::seconds{1};
    // Of drain_timeout.
    static constexpr std::chrono::nanoseconds drain_timeout_max = std::chrono::minutes{10};

    // Entries of the submission queue, sq_entries_min to sq_entries_max, rounded up to a power of
    // two. A few of them are kept for cancels: ring::submission_queue_space() says how many can be
    // prepared.
    std::uint32_t sq_entries = 4096;
    // Entries of the completion queue, up to cq_entries_max, rounded up to a power of two, at least
    // sq_entries; 0 sizes it for four completions a connection. A queue that is too small costs
    // time, never a completion.
    std::uint32_t cq_entries = 0;
    // Sockets that register_socket() can hold at a time, 1 to connections_max_max (8 bytes each).
    std::uint32_t connections_max = 16'384;
    // Posts of other threads that may wait to be read, 1 to posts_max_max, rounded up to a power of
    // two (24 bytes each).
    std::uint32_t posts_max = 1024;
    // How long a wait looks at the queue before it sleeps: 0 (the default) to spin_max. Lowers the
    // latency of few connections and burns idle time: 50 us lifted one ping-pong connection from
    // 13,000 to 46,000 messages a second on a virtual machine.
    std::chrono::nanoseconds spin{0};
    // How long the destructor waits for operations in flight to end, 0 to drain_timeout_max. After
    // that it leaks the memory that the kernel may still write to.
    std::chrono::nanoseconds drain_timeout = std::chrono::seconds{1};
    // Which backend: "automatic", or one of backend_names(). A name is a demand: it never
    // falls back. For tests, "fault:SEED[@LEVEL]:BACKEND" stands around another and does whatever a
    // backend may do wrong, from level 0 (late completions) to 3 (resets too).
    // "trace:FILE:BACKEND" records, "replay:FILE" plays back: docs/trace-format.md.
    //
    // "automatic" takes the first one that works here: a ring could be set up and completed a nop.
    // It goes on to the next where the machine refuses one (a container's seccomp profile, a
    // sysctl, an old kernel), and backend_info::reason tells of that. It does not where a limit is
    // reached (descriptors, memory): that is the caller's error, whatever the backend.
    //
    // Whoever starts the program may choose for it, unless it demands a backend by name:
    // IORING_BACKEND=epoll (a demand), =automatic, =prefer:epoll,poll, =forbid:uring. It goes
    // before backend_prefer (forbid: beside it) and cannot allow what backend_forbid forbids. A
    // word that there is not is an error that names the variable. Ignored where the process has
    // more rights than whoever started it.
    std::string_view backend = "automatic";
    // For "automatic": names with commas between them, tried first and in this order, then the
    // others. It may name one that only its name chooses, and those of other systems.
    std::string_view backend_prefer = "";
    // Names with commas between them that are never chosen.
    std::string_view backend_forbid = "";
};

// Whether `options` are in range, and name backends that there are. Errors: invalid_argument;
// `why` names the field, its value and its range. not_supported: all backends are forbidden.
[[nodiscard]] std::error_code validate(const ring_options& options, std::string* why = nullptr);

// One line, each field with its value, as for a log.
[[nodiscard]] std::string to_string(const ring_options& options);

// What a ring says of its backend. Text that lives as long as the ring.
struct backend_info {
    const char* name = "";          // "uring", "epoll"
    const char* reason = "";        // Why it was chosen, and what was not and why; one clause.
    const char* description = "";   // How it was set up.
    const char* registration = "";  // Whether the kernel pins buffers for send_zc, and if not why.
};

// What a ring has done since its creation. All are of the owner thread.
struct ring_counters {
    std::uint64_t enters = 0;           // System calls, on backends that have any.
    std::uint64_t submitted = 0;        // SQEs taken by the backend.
    std::uint64_t completed = 0;        // CQEs consumed by the program, posts included.
    std::uint64_t posted = 0;           // Of those, entries of post().
    std::uint64_t wakes = 0;            // Waits that wake() ended.
    std::uint64_t overflows = 0;        // Times that completions waited outside a full queue.
    std::uint64_t short_transfers = 0;  // Counted by ring::transferred_all().
};

}  // namespace ioring
