// SPDX-License-Identifier: MIT
// operation_pool.hpp - the operations of a ring: a free list, and where those in flight are found.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "backend/emulation/growing_array.hpp"
#include "backend/emulation/operation.hpp"

namespace ioring::backends::emulation {

class operation_pool {
public:
    // More than descriptors and timers of any program that we know of; 200 MB.
    static constexpr std::uint32_t operations_max = 1U << 20U;

    // `buckets`: a power of two. False: no memory.
    [[nodiscard]] bool set_up(std::uint32_t buckets) noexcept;
    ~operation_pool();
    operation_pool() = default;
    operation_pool(const operation_pool&) = delete;
    operation_pool& operator=(const operation_pool&) = delete;

    // One that is as new but for its entry, or nullptr when the free ones are used up: add_some().
    [[nodiscard]] operation* take() noexcept {
        operation* const taken = free_;
        if (taken == nullptr) return nullptr;
        free_ = taken->next;
        taken->next = nullptr;
        return taken;
    }
    // Makes more of them. False: operations_max, or no memory.
    [[nodiscard]] bool add_some() noexcept;
    void give_back(operation& done) noexcept {
        assert(!done.in_flight && done.heap_index == not_in_heap && !done.queued);
        assert(done.follower == nullptr && done.link_timer == nullptr && done.bounded == nullptr);
        done.previous = nullptr;
        done.bytes_done = 0;
        done.kept_buffer = 0;
        done.early_result = 0;
        done.linked = false;
        done.ending = done.timer = done.counted = done.holds_connect = false;
        done.next = free_;
        free_ = &done;
    }
    [[nodiscard]] std::uint32_t made() const noexcept { return made_; }

    // Those in flight. Adding and removing cost the same whatever their number is.
    void add(operation& started) noexcept;
    void remove(operation& ended) noexcept;
    [[nodiscard]] std::uint32_t in_flight() const noexcept { return in_flight_; }
    [[nodiscard]] operation* oldest() const noexcept { return oldest_; }
    // The first of those whose user_data has the same hash; follow same_hash_next.
    [[nodiscard]] operation* bucket_of(std::uint64_t user_data) const noexcept {
        return buckets_[hash(user_data)];
    }
    // The newest of those with this user_data that `fits(operation)`; nullptr: none.
    template <class Fits>
    [[nodiscard]] operation* find(std::uint64_t user_data, Fits fits) const noexcept {
        operation* each = bucket_of(user_data);
        while (each != nullptr && !(each->entry.user_data == user_data && fits(*each))) {
            each = each->same_hash_next;
        }
        return each;
    }

private:
    static constexpr std::uint32_t chunk_operations = 256;

    struct chunk {
        operation operations[chunk_operations];
        chunk* next = nullptr;
    };

    [[nodiscard]] std::size_t hash(std::uint64_t user_data) const noexcept {
        // Fibonacci hashing: programs count in the low bits or keep kinds in the high ones.
        return static_cast<std::size_t>((user_data * 0x9e37'79b9'7f4a'7c15U) >> shift_);
    }

    chunk* chunks_ = nullptr;
    operation* free_ = nullptr;
    std::uint32_t made_ = 0;
    std::uint32_t in_flight_ = 0;
    unsigned shift_ = 63;
    growing_array<operation*> buckets_;
    operation* oldest_ = nullptr;
    operation* newest_ = nullptr;
};

}  // namespace ioring::backends::emulation
