// SPDX-License-Identifier: MIT
// pool_state.hpp - what a buffer_pool and its leases share.
//
// The ring_buffers of all slabs and fallbacks lie in one array, made once and filled as slabs come:
// so a pointer is checked for being one of ours without being followed, and a buffer is known by
// its index. First slab_buffers * slabs_max buffers of slabs, then the fallbacks.
//
// The state ends when the pool is closed and no lease is left. It then takes its memory off the
// ring's tables and hands itself to the ring, which releases it when the kernel is done with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "ioring/buffer_pool.hpp"
#include "ioring/ids.hpp"
#include "ioring/ring_buffer.hpp"
#include "platform/mirror_map.hpp"
#include "ring/ring_state.hpp"

namespace ioring::detail {

// A LIFO of indices whose memory is taken once and touched only as far as it is used.
class index_stack {
public:
    // False when there is no memory.
    [[nodiscard]] bool reserve(std::uint32_t indices_max) noexcept;
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] std::uint32_t size() const noexcept { return count_; }
    void push(std::uint32_t index) noexcept {
        assert(count_ < indices_max_);
        indices_[count_++] = index;
    }
    // Precondition: not empty.
    [[nodiscard]] std::uint32_t pop() noexcept {
        assert(count_ != 0);
        return indices_[--count_];
    }

private:
    std::unique_ptr<std::uint32_t[]> indices_;
    std::uint32_t count_ = 0;
    std::uint32_t indices_max_ = 0;
};

class pool_state final : public retired_memory {
public:
    // Values of ring_buffer::pool_use_.
    enum class use : std::uint8_t { none, free, leased, raw, abandoned };

    // Makes `out` a state that its pool owns until close(). Errors as buffer_pool::create.
    [[nodiscard]] static std::error_code create(const std::shared_ptr<ring_state>& ring,
                                                const pool_options& options, pool_state*& out,
                                                std::string* why) noexcept;
    pool_state(const pool_state&) = delete;
    pool_state& operator=(const pool_state&) = delete;

    // nullptr when there is none.
    [[nodiscard]] ring_buffer* try_acquire(use how) noexcept {
        return free_.empty() ? nullptr : hand_out(free_.pop(), how);
    }
    [[nodiscard]] ring_buffer* acquire(use how, std::error_code* error) noexcept;
    // `how` is the use that it must be in. Errors as buffer_pool::release_raw.
    std::error_code give_back(ring_buffer* buffer, use how) noexcept;
    // The end of a lease: always succeeds, and may be the end of the state.
    void end_lease(ring_buffer* buffer) noexcept;
    [[nodiscard]] std::error_code reserve(std::uint32_t count, std::string* why) noexcept;
    [[nodiscard]] pool_stats stats() const noexcept;
    [[nodiscard]] std::uint32_t buffer_bytes() const noexcept { return options_.buffer_bytes; }
    // The pool is gone.
    void close() noexcept;

private:
    explicit pool_state(const std::shared_ptr<ring_state>& ring, const pool_options& options);
    ~pool_state();

    [[nodiscard]] std::error_code prepare(std::string* why) noexcept;
    [[nodiscard]] std::error_code add_slab(std::string* why) noexcept;
    [[nodiscard]] std::error_code add_fallback(std::string* why) noexcept;
    [[nodiscard]] std::error_code add_buffers(std::uint32_t first,
                                              const platform::mirror_map& memory,
                                              std::string* why) noexcept;
    void forget_ids(std::span<const buffer_id> ids) noexcept;

    [[nodiscard]] ring_buffer* hand_out(std::uint32_t index, use how) noexcept;
    [[nodiscard]] ring_buffer* acquire_fallback(use how, std::error_code& error) noexcept;
    void put_back(std::uint32_t index) noexcept;
    [[nodiscard]] bool find(const ring_buffer* buffer, std::uint32_t& index) const noexcept;
    void retire_all() noexcept;
    static void release_all(retired_memory* self) noexcept;

    [[nodiscard]] std::uint32_t slab_slots() const noexcept { return slab_slots_; }
    [[nodiscard]] std::uint32_t slots() const noexcept {
        return slab_slots() + (options_.fallback ? pool_options::fallbacks_max : 0);
    }

    std::shared_ptr<ring_state> ring_;
    const pool_options options_;
    const std::uint32_t slab_slots_ = options_.slab_buffers * options_.slabs_max;
    ring_buffer* buffers_ = nullptr;  // Room for slots(); constructed as slabs and fallbacks come.
    index_stack free_;
    std::uint32_t leases_ = 0;
    bool closed_ = false;
    pool_stats stats_;
    std::vector<platform::mirror_map> slabs_;
    std::vector<platform::mirror_map> fallbacks_;
    index_stack free_fallbacks_;
    std::vector<buffer_id> ids_;  // Scratch of add_buffers(): a slab's.
};

}  // namespace ioring::detail
