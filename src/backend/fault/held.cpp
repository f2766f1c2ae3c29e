// SPDX-License-Identifier: MIT
// held.cpp - the one pass over what is held back that keeps every order that is promised.
#include "backend/fault/held.hpp"

#include <cstddef>

namespace ioring::backends::fault {

void held_queue::staying::add(const held_completion& each) {
    user_data.insert(each.entry.user_data);
    if (each.chain != 0) chains.insert(each.chain);
    if (each.entry.has_buffer()) buffers.insert(each.entry.buffer_id());
}

bool held_queue::staying::blocks(const held_completion& each) const {
    if (user_data.empty()) return false;
    return each.waits_for_all || user_data.count(each.entry.user_data) != 0 ||
           (each.chain != 0 && chains.count(each.chain) != 0) ||
           (each.entry.has_buffer() && buffers.count(each.entry.buffer_id()) != 0);
}

void held_queue::staying::clear() noexcept {
    user_data.clear();
    chains.clear();
    buffers.clear();
}

bool held_queue::release(own_queues& out, std::uint64_t turn) {
    staying_.clear();
    bool no_room = false;
    std::size_t kept = 0;
    for (std::size_t index = 0; index < queue_.size(); ++index) {
        const held_completion& each = queue_[index];
        // Nothing overtakes what only lacks room.
        if (!no_room && each.due_turn <= turn && !staying_.blocks(each)) {
            if (out.room() > 0) {
                out.post(each.entry);
                continue;
            }
            no_room = true;
        }
        if (!no_room) staying_.add(each);
        if (kept != index) queue_[kept] = each;
        ++kept;
    }
    queue_.resize(kept);
    return no_room;
}

held_completion* held_queue::find_pinned(std::uint64_t user_data) noexcept {
    for (held_completion& each : queue_) {
        const bool pinned = each.due_turn == held_completion::pinned;
        if (pinned && each.entry.user_data == user_data) return &each;
    }
    return nullptr;
}

void held_queue::unpin(std::uint64_t user_data) noexcept {
    if (held_completion* const each = find_pinned(user_data)) each->due_turn = 0;
}

bool held_queue::finish(std::uint64_t user_data) noexcept {
    held_completion* const each = find_pinned(user_data);
    if (each == nullptr) return false;
    each->due_turn = 0;
    each->entry.flags &= ~cqe_flag::more;
    return true;
}

held_completion* held_queue::find_last(std::uint64_t user_data) noexcept {
    held_completion* last = nullptr;
    for (held_completion& each : queue_) {
        if (each.entry.user_data != user_data || each.entry.more()) continue;
        if (last != nullptr) return nullptr;
        last = &each;
    }
    return last;
}

}  // namespace ioring::backends::fault
