// SPDX-License-Identifier: MIT
// ring_state.hpp - everything of a ring that outlives the `ring` object: shared by pools, groups,
// listeners.
//
// The ring object owns the queues until its destructor calls shut_down(); the state itself lives
// until the last pool, group or listener lets go of it, which is how these may be destroyed in any
// order.
//
// Threads: as ring.hpp says; all but wake() and post() belong to the owner.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "backend/backend.hpp"
#include "backend/registry.hpp"
#include "base/thread_token.hpp"
#include "ioring/detail/ring_core.hpp"
#include "ioring/ring.hpp"
#include "platform/process.hpp"

namespace ioring::detail {

// Memory that its owner is done with, but the kernel perhaps not. The owner keeps one of these
// ready, so that giving memory up needs none. `release` is called once, and frees the node too if
// it was allocated.
struct retired_memory {
    void (*release)(retired_memory* self) noexcept = nullptr;
    retired_memory* next = nullptr;
};

class ring_state final : public ring_core {
public:
    [[nodiscard]] static std::error_code create(const ring_options& options,
                                                std::shared_ptr<ring_state>& out, std::string& why);
    ring_state(const ring_options& options, backends::chosen_backend&& chosen);
    ring_state(const ring_state&) = delete;
    ring_state& operator=(const ring_state&) = delete;
    ~ring_state();

    int submit_and_wait(std::uint32_t min_complete, std::chrono::nanoseconds timeout) noexcept;
    [[nodiscard]] std::size_t peek(std::span<cqe> out) noexcept;
    void advance(std::size_t count) noexcept;
    [[nodiscard]] std::size_t completions_ready() noexcept;
    void wake() noexcept;
    [[nodiscard]] bool post(std::uint64_t user_data, std::int32_t res) noexcept;
    [[nodiscard]] sqe* prepare_close(fd socket, std::uint64_t user_data) noexcept;
    void absorb(const cqe& entry) noexcept;
    // Operations submitted whose terminal CQE has not been consumed, without the library's own.
    [[nodiscard]] std::uint64_t in_flight() const noexcept;

    // Buffers and sockets (ring_tables.cpp); errors as in ring.hpp.
    [[nodiscard]] std::error_code register_buffers(std::span<std::byte> memory,
                                                   std::span<buffer_id> out);
    std::error_code unregister_buffer(buffer_id buffer) noexcept;
    [[nodiscard]] std::error_code register_socket(fd socket, connection_id& out) noexcept;
    std::error_code unregister_socket(connection_id connection) noexcept;
    // The kernel's slot of the memory that `buffer` lies in, or -1; pins it at the first call.
    [[nodiscard]] int pinned_slot(buffer_id buffer) noexcept;

    // The backend's register_(), or -EBADF when the ring is gone, -EOWNERDEAD after a fork.
    int register_with_backend(backends::register_op operation, void* argument,
                              std::uint32_t count) noexcept;

    // The end (ring_drain.cpp). Cancels and drains, then lets go of the backend. Idempotent.
    void shut_down() noexcept;
    [[nodiscard]] bool is_shut_down() const noexcept { return backend_ == nullptr; }
    // Releases `memory` as soon as nothing can be in flight on it: now, when the ring runs dry, or
    // when it shuts down. Never, when the kernel would not let go of it in time.
    void retire(retired_memory& memory) noexcept;
    // Cancels what is in flight on `socket`, then closes it, without an SQE of the program's.
    void close_listening(fd socket) noexcept;
    [[nodiscard]] bool forked() const noexcept { return forked_; }

    [[nodiscard]] const ioring::backend_info& info() const noexcept { return info_; }
    [[nodiscard]] const probe_result& probe() const noexcept { return probe_; }

private:
    struct region {
        static constexpr std::int32_t untried = -1;
        static constexpr std::int32_t refused = -2;

        std::byte* data = nullptr;
        std::size_t bytes = 0;
        std::uint32_t buffers = 0;  // That are registered; 0: free.
        std::int32_t kernel_slot = untried;
    };
    struct drain_round {
        bool others = false;         // Something else than our cancel completed.
        bool found_nothing = false;  // Our cancel found nothing to cancel.
    };

    int claim() noexcept;
    [[nodiscard]] bool arm_wake() noexcept;
    [[nodiscard]] sqe* take_internal_sqe() noexcept;
    [[nodiscard]] std::uint32_t publish() noexcept;
    int enter(std::uint32_t pending, std::uint32_t min_complete, std::uint32_t flags,
              std::int64_t timeout_ns) noexcept;
    int begin_turn(int& own) noexcept;
    [[nodiscard]] bool is_idle() const noexcept;
    [[nodiscard]] bool has_come(std::uint32_t taken, std::uint32_t pending) const noexcept;
    int wait_on(int taken, std::uint32_t pending, std::uint32_t min_complete,
                std::uint64_t deadline) noexcept;
    int wait(std::uint32_t pending, std::uint32_t min_complete, std::uint64_t deadline) noexcept;
    void spin(std::uint32_t min_complete, std::uint64_t deadline) noexcept;
    [[nodiscard]] bool ready(std::uint32_t count) noexcept;
    [[nodiscard]] bool take_wake() noexcept;
    [[nodiscard]] bool flush_wanted() const noexcept;
    [[nodiscard]] std::uint32_t unread() const noexcept;

    [[nodiscard]] std::int32_t find_region() noexcept;
    [[nodiscard]] std::error_code attach_buffers(std::span<const buffer_id> added) noexcept;
    void forget_buffer(std::uint32_t slot) noexcept;
    void pin(region& which) noexcept;
    void set_registration_text(int error) noexcept;

    [[nodiscard]] bool counts_are_exact() const noexcept;
    void forget_unsubmitted() noexcept;
    [[nodiscard]] bool drain(std::uint64_t deadline) noexcept;
    [[nodiscard]] drain_round drain_once(std::uint64_t deadline) noexcept;
    void submit_soon() noexcept;
    void release_retired() noexcept;
    void become_dead() noexcept;
    static void after_fork_in_child(void* self) noexcept;

    std::unique_ptr<backends::backend> backend_;
    std::chrono::nanoseconds spin_;
    std::chrono::nanoseconds drain_timeout_;
    std::uint64_t owner_ = no_thread;
    bool wake_needs_arming_ = false;
    bool wake_armed_ = false;
    bool untracked_ = false;  // An SQE asked for no CQE on success: counts say nothing any more.
    bool forked_ = false;
    bool overflowing_ = false;
    bool leaks_ = false;
    std::int32_t wake_descriptor_ = -1;
    std::uint32_t published_tail_ = 0;
    std::uint64_t published_ = 0;          // SQEs handed to the backend's queue since creation.
    std::uint64_t internal_prepared_ = 0;  // Of those (and the next batch's), the library's own ...
    std::uint64_t internal_completed_ = 0;   // ... and their terminal CQEs.
    std::uint64_t cancels_outstanding_ = 0;  // The library's own cancels among them.
    std::atomic<bool> wake_pending_{false};
    std::atomic<std::uint32_t> posts_tail_{0};

    std::vector<post_cell> post_cells_;
    std::vector<connection_entry> connection_table_;
    std::vector<std::uint32_t> free_connections_;  // LIFO: hot entries first.
    std::vector<buffer_entry> buffer_table_;
    std::vector<std::int32_t> buffer_regions_;  // The region of each buffer.
    std::deque<std::uint32_t> free_buffers_;    // FIFO: a generation of 8 bits then lasts longest.
    std::vector<region> regions_;
    retired_memory* retired_ = nullptr;

    probe_result probe_;
    std::string reason_;
    std::string description_;
    std::string registration_;
    std::string_view name_;
    ioring::backend_info info_;
    platform::fork_hook fork_hook_{&after_fork_in_child, this};
};

[[nodiscard]] inline backends::wishes wishes_of(const ring_options& options) noexcept {
    return {options.backend, options.backend_prefer, options.backend_forbid};
}

// How the layers above reach a ring's state.
struct ring_access {
    [[nodiscard]] static const std::shared_ptr<ring_state>& state_of(const ring& which) noexcept {
        return which.state_;
    }
};

// A ring without queues: what a ring object points to when it is none.
[[nodiscard]] ring_core& no_ring() noexcept;
// The view of such a ring: every queue empty and full at once.
[[nodiscard]] ring_view no_view() noexcept;

}  // namespace ioring::detail
