// SPDX-License-Identifier: MIT
// flights.hpp - the operations in flight, found by the user_data that the program gave them.
//
// A CQE says whose it is by user_data alone, which a program may use more than once at a time. The
// operations of such a user_data are counted and otherwise left alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

#include "ioring/sqe.hpp"

namespace ioring::backends::fault {

struct flight {
    opcode op = opcode::nop;
    bool multishot = false;
    bool waits_for_all = false;  // Its CQE comes after those of all that ended before it.
    bool ending = false;         // We have cancelled it, to end it with a CQE that we hold back.
    bool loses = false;          // A cancel that is to say -EALREADY, if it found its target.
    std::uint64_t target = 0;    // Of such a cancel.
    bool interrupted = false;    // The target of one: ends with -EINTR in place of -ECANCELED.
    std::uint64_t number = 0;    // Of its SQE.
    std::uint64_t cqes = 0;
    std::uint64_t chain = 0;               // 0: of none.
    std::unique_ptr<std::byte[]> message;  // What its SQE points to in place of the program's.
};

class flight_table {
public:
    // The operation that carries `user_data`; null when there is none, or cannot be told which.
    [[nodiscard]] flight* find(std::uint64_t user_data) noexcept {
        const auto found = places_.find(user_data);
        if (found == places_.end() || found->second.unclear) return nullptr;
        return &found->second.operation;
    }
    [[nodiscard]] bool knows(std::uint64_t user_data) const noexcept {
        return places_.find(user_data) != places_.end();
    }
    void add(std::uint64_t user_data, flight&& operation) {
        ++count_;
        place& at = places_[user_data];
        // What it keeps must live on, so a second one does not take its place.
        if (++at.count == 1 && !at.unclear) {
            at.operation = std::move(operation);
        } else {
            at.unclear = true;
        }
    }
    // CQEs of this user_data say nothing for sure any more, for good.
    void give_up(std::uint64_t user_data) {
        place& at = places_[user_data];
        at.unclear = at.for_good = true;
    }
    // The last CQE of one has come.
    void end(std::uint64_t user_data) noexcept {
        const auto found = places_.find(user_data);
        if (found == places_.end() || found->second.count == 0) return;
        --count_;
        if (--found->second.count == 0 && !found->second.for_good) places_.erase(found);
    }
    // Operations in flight, but for those that may end without a CQE.
    [[nodiscard]] std::size_t count() const noexcept { return count_; }

private:
    struct place {
        flight operation;
        std::uint32_t count = 0;
        bool unclear = false;
        bool for_good = false;
    };

    std::unordered_map<std::uint64_t, place> places_;
    std::size_t count_ = 0;
};

}  // namespace ioring::backends::fault
