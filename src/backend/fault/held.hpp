// SPDX-License-Identifier: MIT
// held.hpp - completions on their way to the program: when each may be seen, and before which
// others.
//
// One may overtake another unless both are of one operation (one user_data), of one chain, or about
// one group buffer, whose bytes the program counts by the order of CQEs.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <unordered_set>

#include "backend/wrapping/own_queues.hpp"
#include "ioring/sqe.hpp"

namespace ioring::backends::fault {

struct held_completion {
    static constexpr std::uint64_t pinned = std::numeric_limits<std::uint64_t>::max();

    cqe entry;
    std::uint64_t due_turn = 0;  // `pinned`: not before unpin() or finish().
    std::uint64_t chain = 0;     // 0: of none.
    opcode op = opcode::nop;
    bool known = false;          // `op` is that of its operation.
    bool waits_for_all = false;  // Comes after everything that is held already.
};

class held_queue {
public:
    void push(const held_completion& each) { queue_.push_back(each); }
    [[nodiscard]] std::size_t size() const noexcept { return queue_.size(); }
    // Whether something here is to be seen as turns go by.
    [[nodiscard]] bool ripens() const noexcept {
        for (const held_completion& each : queue_) {
            if (each.due_turn != held_completion::pinned) return true;
        }
        return false;
    }

    // Posts what is due at `turn`, as far as there is room. Returns whether room was lacking.
    bool release(own_queues& out, std::uint64_t turn);
    // The pinned completion of `user_data`, of which there is at most one, may go as it is.
    void unpin(std::uint64_t user_data) noexcept;
    // The same, as the last of its operation. False when there is none.
    bool finish(std::uint64_t user_data) noexcept;
    // The only completion here that ended the operation of `user_data`, or null.
    [[nodiscard]] held_completion* find_last(std::uint64_t user_data) noexcept;

private:
    [[nodiscard]] held_completion* find_pinned(std::uint64_t user_data) noexcept;

    struct staying {
        std::unordered_set<std::uint64_t> user_data;
        std::unordered_set<std::uint64_t> chains;
        std::unordered_set<std::uint32_t> buffers;

        void add(const held_completion& each);
        [[nodiscard]] bool blocks(const held_completion& each) const;
        void clear() noexcept;
    };

    std::deque<held_completion> queue_;
    staying staying_;  // Only within release(); kept for its memory.
};

}  // namespace ioring::backends::fault
