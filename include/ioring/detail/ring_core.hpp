// SPDX-License-Identifier: MIT
// ring_core.hpp - the part of a ring that its inline functions touch.
//
// Not for programs. The rest of a ring's state is in src/ring/ring_state.hpp, which derives from
// this.
#pragma once

#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>

#include "ioring/fd.hpp"
#include "ioring/ids.hpp"
#include "ioring/layout.hpp"
#include "ioring/ring_options.hpp"
#include "ioring/sqe.hpp"

namespace ioring::detail {

struct connection_entry {
    std::int32_t fd = -1;          // -1: free
    std::uint32_t generation = 0;  // Of the present or the last owner.
};

struct buffer_entry {
    std::byte* data = nullptr;  // nullptr: free
    std::uint32_t bytes = 0;
    std::uint8_t generation = 0;
    std::uint8_t unused = 0;
    std::uint16_t kernel_slot =
        0;  // Of the region it lies in, + 1; 0 when the kernel has not pinned it.
};

// One place of the queue through which other threads post.
struct post_cell {
    // Equal to the position: free for that position. Position + 1: holds the entry of that
    // position.
    std::atomic<std::uint32_t> turn{0};
    cqe entry;
};

struct ring_core {
    ring_view view;  // All queues empty and full at once (0 entries) when there is no ring.
    std::uint32_t sqe_tail = 0;         // The next SQE to hand out; published by submit.
    std::uint32_t sq_usable = 0;        // Entries that programs may fill ...
    std::uint32_t sq_cancel_limit = 0;  // ... and cancels; the last ones are the library's own.
    std::uint32_t posts_head = 0;       // Posts in [head, ready_end) are visible to the owner.
    std::uint32_t posts_ready_end = 0;
    std::uint32_t posts_mask = 0;
    std::uint32_t connections_count = 0;
    std::uint32_t buffers_count = 0;
    post_cell* posts = nullptr;
    connection_entry* connections = nullptr;
    buffer_entry* buffers = nullptr;
    std::uint64_t terminal =
        0;  // CQEs consumed that ended their operation, the library's own included.
    ring_counters counters;
    bool names_buffers = false;  // The backend wants to know by which id a buffer is meant.
    std::atomic<bool> posts_hint{false};  // Somebody posted since the owner last looked.

    [[nodiscard]] std::uint32_t sq_used() const noexcept {
        // Acquire: the backend is done with an entry before we write it again (pairs with its
        // release).
        return sqe_tail - view.sq_head->load(std::memory_order_acquire);
    }

    // The next SQE, its content unspecified, or nullptr when `limit` entries are in use.
    [[nodiscard]] sqe* take_sqe(std::uint32_t limit) noexcept {
        if (sq_used() >= limit) return nullptr;
        return &view.sqes[sqe_tail++ & (view.sq_entries - 1)];
    }

    // Where `bytes` at `offset` of `buffer` are, or nullptr when the id is stale or they do not lie
    // within it.
    [[nodiscard]] std::byte* find_bytes(buffer_id buffer, std::uint64_t offset,
                                        std::uint32_t bytes) const noexcept {
        const auto id = static_cast<std::uint32_t>(buffer);
        const std::uint32_t slot = id & registered_buffers_max;
        if (slot >= buffers_count) return nullptr;
        const buffer_entry& entry = buffers[slot];
        if (entry.data == nullptr || entry.generation != id >> 24U) return nullptr;
        if (bytes == 0 || bytes > entry.bytes || offset > entry.bytes - bytes) return nullptr;
        return entry.data + offset;
    }

    // Says in `entry` which buffer its memory is of, where the backend wants to know.
    void name_buffer(sqe& entry, buffer_id buffer) const noexcept {
        if (!names_buffers) [[likely]]
            return;
        const std::uint32_t slot = static_cast<std::uint32_t>(buffer) & registered_buffers_max;
        entry.addr3 = std::uint64_t{slot} + 1;
    }

    // The descriptor of `connection`, or an invalid one when the id is stale.
    [[nodiscard]] fd find_socket(connection_id connection) const noexcept {
        if (connection.slot >= connections_count) return {};
        const connection_entry& entry = connections[connection.slot];
        return entry.generation == connection.generation ? fd{entry.fd} : fd{};
    }

    void consume_cqe(std::uint32_t head, const cqe& entry) noexcept {
        if (!entry.more()) ++terminal;
        // Release: we have read the entry before the backend may overwrite it (pairs with its
        // acquire).
        view.cq_head->store(head + 1, std::memory_order_release);
    }

    void consume_post() noexcept {
        // Release: we have read the entry before another thread may overwrite it (pairs with
        // post()).
        posts[posts_head & posts_mask].turn.store(posts_head + posts_mask + 1,
                                                  std::memory_order_release);
        ++posts_head;
        ++counters.posted;
    }
};

// Looks for posts of other threads and makes them visible to the owner.
void collect_posts(ring_core& core) noexcept;
// Takes note of one of the library's own completions.
void absorb_internal(ring_core& core, const cqe& entry) noexcept;

}  // namespace ioring::detail
