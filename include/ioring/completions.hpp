// SPDX-License-Identifier: MIT
// completions.hpp - iteration over what has completed, each entry consumed as it is left.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "ioring/detail/ring_core.hpp"
#include "ioring/sqe.hpp"

namespace ioring {

// A snapshot of the completions that are ready, for one range-for. An entry is consumed when the
// loop leaves it, by its next step, a break, a return or an exception; those not visited stay in
// the queue. The loop's body may prepare and submit; it must not peek or iterate again. References
// are valid until the step.
class completion_range {
public:
    // An input iterator: one pass, and all copies are at the same place.
    class iterator {
    public:
        using value_type = cqe;                  // As iterators say it.
        using difference_type = std::ptrdiff_t;  // As iterators say it.

        // At the first entry of `range`, which must outlive it.
        explicit iterator(completion_range& range) noexcept : range_{&range} {}
        // The entry; precondition: not at the end.
        const cqe& operator*() const noexcept { return range_->visit(); }
        // The entry; precondition: not at the end.
        const cqe* operator->() const noexcept { return &range_->visit(); }
        // Consumes the entry and goes on to the next.
        iterator& operator++() noexcept {
            range_->leave();
            return *this;
        }
        void operator++(int) noexcept { range_->leave(); }
        // Whether nothing is left.
        friend bool operator==(const iterator& position, std::default_sentinel_t) noexcept {
            return position.range_->empty();
        }

    private:
        completion_range* range_;
    };

    // For ring::completions().
    explicit completion_range(detail::ring_core& core) noexcept : core_{core} {
        if (core.posts_hint.load(std::memory_order_relaxed)) detail::collect_posts(core);
        posts_end_ = core.posts_ready_end;
        head_ = core.view.cq_head->load(std::memory_order_relaxed);
        // Acquire: the entries before the tail are complete (pairs with the backend's release).
        tail_ = core.view.cq_tail->load(std::memory_order_acquire);
        settle();
    }
    // One loop, one range.
    completion_range(const completion_range&) = delete;
    // One loop, one range.
    completion_range& operator=(const completion_range&) = delete;
    // Consumes the entry that the loop was left at.
    ~completion_range() {
        if (visiting_) consume();
    }

    // The first entry of the snapshot. Once for each range.
    [[nodiscard]] iterator begin() noexcept { return iterator{*this}; }
    // Behind the last one.
    [[nodiscard]] static std::default_sentinel_t end() noexcept { return {}; }
    // Nothing, or nothing more, is ready.
    [[nodiscard]] bool empty() const noexcept { return entry_ == nullptr; }

private:
    const cqe& visit() noexcept {
        assert(entry_ != nullptr);
        visiting_ = true;
        return *entry_;
    }

    void leave() noexcept {
        consume();
        settle();
    }

    void consume() noexcept {
        assert(entry_ != nullptr);
        visiting_ = false;
        ++core_.counters.completed;
        if (in_posts_) {
            core_.consume_post();
        } else {
            core_.consume_cqe(head_++, *entry_);
        }
    }

    // Finds the next entry to show: posts first, then the queue without the library's own entries.
    void settle() noexcept {
        in_posts_ = core_.posts_head != posts_end_;
        if (in_posts_) {
            entry_ = &core_.posts[core_.posts_head & core_.posts_mask].entry;
            return;
        }
        while (head_ != tail_) {
            entry_ = &core_.view.cqes[head_ & (core_.view.cq_entries - 1)];
            if (entry_->user_data != reserved_user_data) return;
            detail::absorb_internal(core_, *entry_);
            core_.consume_cqe(head_++, *entry_);
        }
        entry_ = nullptr;
    }

    detail::ring_core& core_;
    const cqe* entry_ = nullptr;
    std::uint32_t head_ = 0;
    std::uint32_t tail_ = 0;
    std::uint32_t posts_end_ = 0;
    bool in_posts_ = false;
    bool visiting_ = false;
};

}  // namespace ioring
