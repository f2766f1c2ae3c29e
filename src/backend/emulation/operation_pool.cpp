// SPDX-License-Identifier: MIT
// operation_pool.cpp - taking, giving back and finding operations.
#include "backend/emulation/operation_pool.hpp"

#include <bit>
#include <cassert>
#include <new>

namespace ioring::backends::emulation {

bool operation_pool::set_up(std::uint32_t buckets) noexcept {
    assert(std::has_single_bit(buckets) && buckets >= 2);
    shift_ = 64U - static_cast<unsigned>(std::bit_width(buckets) - 1);
    return buckets_.grow_to(buckets) && add_some();
}

operation_pool::~operation_pool() {
    while (chunks_ != nullptr) {
        chunk* const next = chunks_->next;
        delete chunks_;
        chunks_ = next;
    }
}

bool operation_pool::add_some() noexcept {
    if (made_ >= operations_max) return false;
    auto* const made = new (std::nothrow) chunk;
    if (made == nullptr) return false;
    made->next = chunks_;
    chunks_ = made;
    for (std::uint32_t index = chunk_operations; index-- > 0;) {
        made->operations[index].next = free_;
        free_ = &made->operations[index];
    }
    made_ += chunk_operations;
    return true;
}

void operation_pool::add(operation& started) noexcept {
    assert(!started.in_flight);
    started.in_flight = true;
    ++in_flight_;
    operation*& bucket = buckets_[hash(started.entry.user_data)];
    started.same_hash_previous = nullptr;
    started.same_hash_next = bucket;
    if (bucket != nullptr) bucket->same_hash_previous = &started;
    bucket = &started;

    started.newer = nullptr;
    started.older = newest_;
    (newest_ != nullptr ? newest_->newer : oldest_) = &started;
    newest_ = &started;
}

void operation_pool::remove(operation& ended) noexcept {
    assert(ended.in_flight);
    ended.in_flight = false;
    --in_flight_;
    operation*& before = ended.same_hash_previous != nullptr
                             ? ended.same_hash_previous->same_hash_next
                             : buckets_[hash(ended.entry.user_data)];
    before = ended.same_hash_next;
    if (ended.same_hash_next != nullptr) {
        ended.same_hash_next->same_hash_previous = ended.same_hash_previous;
    }

    (ended.older != nullptr ? ended.older->newer : oldest_) = ended.newer;
    (ended.newer != nullptr ? ended.newer->older : newest_) = ended.older;
}

}  // namespace ioring::backends::emulation
