// SPDX-License-Identifier: MIT
// provided_ring.hpp - the array through which a group of buffers is handed to the kernel.
//
// We write records and move the tail; the kernel takes records from its own head. An incremental
// one it changes in place (address and length of what is left), so a record is written only when
// its buffer is handed over. There are never more records between head and tail than buffers.
#pragma once

#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>

#include "ring/ring_state.hpp"

namespace ioring::detail {

// The kernel's format (struct io_uring_buf).
struct buffer_record {
    std::uint64_t address;
    std::uint32_t bytes;
    std::uint16_t buffer;
    // Of the first record: the tail of them all. Unused in the others.
    std::atomic<std::uint16_t> tail;
};
static_assert(sizeof(buffer_record) == 16);
static_assert(std::atomic<std::uint16_t>::is_always_lock_free);

class provided_ring {
public:
    static constexpr std::int32_t automatic = -1;

    // Ids below this one are given to who asks for them only: on Linux 6.1 such a group begins
    // where the last one of its id had stopped, and would miss its first buffers.
    static constexpr std::uint32_t first_automatic_group = 64;
    // How many ids are left to choose from.
    static constexpr std::uint32_t automatic_groups = 65'536 - first_automatic_group;
    // The id of the `count`th choice; the choices go round.
    [[nodiscard]] static constexpr std::uint16_t automatic_group(std::uint32_t count) noexcept {
        return static_cast<std::uint16_t>(first_automatic_group + count % automatic_groups);
    }

    // What remove() can say.
    enum class removal : std::uint8_t {
        done,     // The kernel does not look at the records any more.
        no_ring,  // The ring is gone, or was never told: it is for ring_state::retire() to say.
        forked,   // We are a child; the records are a copy of our own.
        refused,  // Not our thread: the kernel may look at the records at any time.
    };

    // What its memory must be aligned to, and how much it needs for `buffers` of them.
    [[nodiscard]] static std::size_t alignment() noexcept;
    [[nodiscard]] static std::size_t records_bytes(std::uint32_t buffers) noexcept;

    // Constructs the records in `memory`. Nothing is posted.
    provided_ring(void* memory, std::uint32_t buffers) noexcept;

    // Makes it group `wanted` of the ring, or one that is free. Error: file_exists,
    // no_buffer_space, not_enough_memory, operation_not_permitted (not the ring's thread), ...
    [[nodiscard]] std::error_code add_to(ring_state& ring, std::int32_t wanted, bool incremental,
                                         std::string* why) noexcept;
    [[nodiscard]] removal remove_from(ring_state& ring) noexcept;

    // Hands a buffer over; the kernel sees it after publish().
    void post(std::uint16_t buffer, std::byte* data, std::uint32_t bytes) noexcept {
        buffer_record& record = records_[next_tail_++ & mask_];
        // Field by field: the tail shares its record with the first of them.
        record.address = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(data));
        record.bytes = bytes;
        record.buffer = buffer;
    }
    void publish() noexcept {
        // Release: the records are complete before the kernel sees the tail (pairs with its
        // acquire).
        records_->tail.store(next_tail_, std::memory_order_release);
    }

    [[nodiscard]] std::uint16_t group() const noexcept { return group_; }

private:
    buffer_record* const records_;
    const std::uint32_t entries_;
    const std::uint16_t mask_;
    std::uint16_t next_tail_ = 0;
    std::uint16_t group_ = 0;
    bool added_ = false;
};

}  // namespace ioring::detail
