// SPDX-License-Identifier: MIT
// buffer_pool.hpp - ring_buffers that are made in slabs, registered with a ring, and reused.
//
// A slab is one memory object with `slab_buffers` mirrored buffers, registered with the ring at
// once. Slabs are made when they are needed and kept until the pool ends; a buffer uses memory only
// once it was written to. The buffer that was released last is acquired next: it is the one in the
// cache.
//
// Lifetime: pool, ring and leases may be destroyed in any order, with operations in flight too. The
// memory stays until the pool and every lease are gone and the kernel is done with it. Raw pointers
// end with the pool.
// Threads: all of it, leases included, belongs to the ring's thread; a pool may be made where the
// ring was.
// Fork: a child has none of the memory and must neither acquire nor touch a buffer.
#pragma once

#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

#include "ioring/ids.hpp"
#include "ioring/ring_buffer.hpp"

namespace ioring {

class ring;

// How a buffer_pool is made.
struct pool_options {
    static constexpr std::uint32_t slab_buffers_max = 32'768;  // Buffers of one slab.
    static constexpr std::uint32_t buffers_max = 1U << 22U;    // Over all slabs.
    static constexpr std::uint32_t fallbacks_max = 65'536;     // At a time.

    // A multiple of ring_buffer::granularity(), up to ring_buffer::capacity_max.
    std::uint32_t buffer_bytes = 65'536;
    // Buffers a slab, 1 to slab_buffers_max. A slab costs slab_buffers + 1 of the mappings that a
    // process may have (Linux: 65,530 by default).
    std::uint32_t slab_buffers = 256;
    // Slabs at most, 1 or more; with slab_buffers no more than buffers_max.
    std::uint32_t slabs_max = 64;
    // Slabs made at once, 0 to slabs_max.
    std::uint32_t slabs_initial = 1;
    // Huge pages where the system has enough of them free; buffer_bytes must then be a multiple of
    // ring_buffer::granularity(true).
    bool huge_pages = false;
    // When slabs_max slabs are in use, or none more can be made, acquire() maps single buffers (two
    // mappings each), up to fallbacks_max at a time. They are kept and reused like the others.
    bool fallback = true;
};

// What a pool holds, and how often it had to do without a slab.
struct pool_stats {
    std::uint32_t slabs = 0;                // Made.
    std::uint32_t slabs_max = 0;            // As in the options.
    std::uint32_t buffers_in_use = 0;       // Of slabs.
    std::uint32_t buffers = 0;              // In slabs.
    std::uint32_t fallbacks_in_use = 0;     // Mapped one by one.
    std::uint32_t fallbacks_mapped = 0;     // In use or kept.
    std::uint64_t fallbacks_total = 0;      // Times that acquire() had to give one.
    std::uint32_t buffers_in_use_peak = 0;  // Fallbacks included.
    // Buffers whose lease ended while a receive was lent to them: set aside until the pool ends.
    std::uint32_t abandoned = 0;
    bool huge_pages = false;  // Every slab got them.
};

// "Slabs: 4/64, Buffers: 1000/1024 (97.7%), Fallbacks: 0 total"
[[nodiscard]] std::string to_string(const pool_stats& stats);

// A ring_buffer of a pool, given back when the lease ends. Move-only.
class buffer_lease {
public:
    // No buffer.
    buffer_lease() noexcept = default;
    // `other` has then no buffer; the assigned one gives back what it had.
    buffer_lease(buffer_lease&& other) noexcept
        : buffer_{std::exchange(other.buffer_, nullptr)},
          state_{std::exchange(other.state_, nullptr)} {}
    buffer_lease& operator=(buffer_lease&& other) noexcept {
        if (this != &other) {
            reset();
            buffer_ = std::exchange(other.buffer_, nullptr);
            state_ = std::exchange(other.state_, nullptr);
        }
        return *this;
    }
    // As reset().
    ~buffer_lease() { reset(); }

    // There is a buffer.
    [[nodiscard]] explicit operator bool() const noexcept { return buffer_ != nullptr; }
    // The buffer or nullptr; it stays where it is while it is leased.
    [[nodiscard]] ring_buffer* get() const noexcept { return buffer_; }
    // Precondition: there is a buffer.
    ring_buffer& operator*() const noexcept { return *buffer_; }
    // Precondition: there is a buffer.
    ring_buffer* operator->() const noexcept { return buffer_; }
    // Under which it is registered; buffer_id::invalid without a buffer.
    [[nodiscard]] buffer_id id() const noexcept {
        return buffer_ != nullptr ? buffer_->id() : buffer_id::invalid;
    }

    // Gives the buffer back: unread bytes are dropped, and it will be empty and rewound. One that
    // is lent() to a receive is set aside instead and never given out again.
    void reset() noexcept {
        if (buffer_ != nullptr) give_back();
    }

private:
    friend class buffer_pool;

    buffer_lease(ring_buffer* buffer, detail::pool_state* state) noexcept
        : buffer_{buffer}, state_{state} {}
    void give_back() noexcept;

    ring_buffer* buffer_ = nullptr;
    detail::pool_state* state_ = nullptr;
};

// Slabs of registered buffers. Move-only.
class buffer_pool {
public:
    // Makes `out` a pool of buffers registered with `owner`. On an error `out` is unchanged and
    // `why`, when given, is a sentence.
    //
    // Errors: invalid_argument     an option is out of range (`why` names it, its value and its
    //                              range), or `owner` is no ring
    //         not_enough_memory, too_many_files_open, no_buffer_space    for the slabs_initial
    [[nodiscard]] static std::error_code create(ring& owner, const pool_options& options,
                                                buffer_pool& out,
                                                std::string* why = nullptr) noexcept;
#if defined(__cpp_exceptions)
    // As create(); throws std::system_error.
    explicit buffer_pool(ring& owner, const pool_options& options = {});
#endif

    // No pool: nothing can be acquired.
    buffer_pool() noexcept = default;
    // `other` is then no pool; leases and raw pointers stay good.
    buffer_pool(buffer_pool&& other) noexcept : state_{std::exchange(other.state_, nullptr)} {}
    buffer_pool& operator=(buffer_pool&& other) noexcept {
        if (this != &other) {
            close();
            state_ = std::exchange(other.state_, nullptr);
        }
        return *this;
    }
    // Ends what was acquired raw; leases stay good.
    ~buffer_pool() { close(); }

    // An empty buffer at offset 0: a free one, else of a new slab (a few system calls), else a
    // fallback. No buffer when there is none: `error`, when given, says why (no_buffer_space: the
    // limits of the options; not_enough_memory, too_many_files_open).
    [[nodiscard]] buffer_lease acquire(std::error_code* error = nullptr) noexcept {
        ring_buffer* const buffer = acquire_leased(error);
        return {buffer, buffer != nullptr ? state_ : nullptr};
    }
    // A free buffer or none; never a system call.
    [[nodiscard]] buffer_lease try_acquire() noexcept {
        ring_buffer* const buffer = try_acquire_leased();
        return {buffer, buffer != nullptr ? state_ : nullptr};
    }
    // As lease.reset(). Error: invalid_argument when it is of another pool or no buffer; the lease
    // keeps it.
    std::error_code release(buffer_lease&& lease) noexcept;

    // Guarantees that `count` buffers can be acquired without a system call; makes slabs if it
    // must. Errors: no_buffer_space (slabs_max; nothing was made), not_enough_memory,
    // too_many_files_open (slabs that could be made stay).
    [[nodiscard]] std::error_code reserve(std::uint32_t count, std::string* why = nullptr) noexcept;

    // As acquire(), to be given back by release_raw(): for interfaces that cannot hold a lease.
    // nullptr when there is none. The pointer ends with the pool.
    [[nodiscard]] ring_buffer* acquire_raw(std::error_code* error = nullptr) noexcept;
    // Errors, each of which leaves everything as it was:
    //   invalid_argument         not a buffer of this pool (the pointer is not followed)
    //   operation_not_permitted  free already, or a lease's
    //   device_or_resource_busy  it is lent(): a receive is in flight
    std::error_code release_raw(ring_buffer* buffer) noexcept;

    // A copy of what is counted; costs nothing.
    [[nodiscard]] pool_stats stats() const noexcept;
    // Bytes a buffer holds; 0 when there is no pool.
    [[nodiscard]] std::uint32_t buffer_bytes() const noexcept;

private:
    [[nodiscard]] ring_buffer* acquire_leased(std::error_code* error) noexcept;
    [[nodiscard]] ring_buffer* try_acquire_leased() noexcept;
    void close() noexcept;

    detail::pool_state* state_ = nullptr;  // Shared with the leases, which may outlive the pool.
};

}  // namespace ioring
