// SPDX-License-Identifier: MIT
// timers.cpp - a binary heap over operations.
#include "backend/emulation/timers.hpp"

#include <cassert>

namespace ioring::backends::emulation {

bool timers::add(operation& timer) noexcept {
    assert(timer.heap_index == not_in_heap);
    if (!heap_.grow_to(count_ + 1)) return false;
    sift_up(timer, count_++);
    return true;
}

void timers::remove(operation& timer) noexcept {
    const std::size_t index = timer.heap_index;
    assert(index < count_ && heap_[index] == &timer);
    timer.heap_index = not_in_heap;
    operation& last = *heap_[--count_];
    if (&last == &timer) return;
    // It may belong above or below the hole.
    place(last, index);
    sift_up(last, index);
    sift_down(last, last.heap_index);
}

void timers::move(operation& timer, std::uint64_t deadline_ns) noexcept {
    assert(timer.heap_index < count_);
    timer.deadline_ns = deadline_ns;
    sift_up(timer, timer.heap_index);
    sift_down(timer, timer.heap_index);
}

operation* timers::take_due(std::uint64_t now_ns) noexcept {
    if (count_ == 0 || heap_[0]->deadline_ns > now_ns) return nullptr;
    operation* const due = heap_[0];
    remove(*due);
    return due;
}

void timers::sift_up(operation& timer, std::size_t index) noexcept {
    while (index > 0) {
        const std::size_t parent = (index - 1) / 2;
        if (heap_[parent]->deadline_ns <= timer.deadline_ns) break;
        place(*heap_[parent], index);
        index = parent;
    }
    place(timer, index);
}

void timers::sift_down(operation& timer, std::size_t index) noexcept {
    for (;;) {
        std::size_t child = 2 * index + 1;
        if (child >= count_) break;
        const std::size_t right = child + 1;
        if (right < count_ && heap_[right]->deadline_ns < heap_[child]->deadline_ns) child = right;
        if (heap_[child]->deadline_ns >= timer.deadline_ns) break;
        place(*heap_[child], index);
        index = child;
    }
    place(timer, index);
}

}  // namespace ioring::backends::emulation
