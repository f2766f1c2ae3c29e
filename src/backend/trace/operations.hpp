// SPDX-License-Identifier: MIT
// operations.hpp - the SQEs whose last CQE has not come, found by user_data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <utility>

#include "ioring/sqe.hpp"

namespace ioring::backends::trace {

struct operation {
    sqe entry;
    std::uint64_t number = 0;          // Of the SQE, from 1.
    std::size_t address_capacity = 0;  // Of where the peer's address goes.
};

class operation_table {
public:
    void add(const operation& each) {
        // One that may end without a CQE would be taken for the next one of its name.
        if ((each.entry.flags & sqe_flag::cqe_skip_success) != 0) return;
        open_[each.entry.user_data].push_back(each);
        ++count_;
    }
    // The operation of a CQE; null when there is none, or cannot be told which.
    [[nodiscard]] const operation* find(std::uint64_t user_data) const noexcept {
        const auto found = open_.find(user_data);
        const bool clear = found != open_.end() && found->second.size() == 1;
        return clear ? &found->second.front() : nullptr;
    }
    // The last CQE of one has come.
    void end(std::uint64_t user_data) noexcept {
        const auto found = open_.find(user_data);
        if (found == open_.end()) return;
        --count_;
        found->second.pop_front();
        if (found->second.empty()) open_.erase(found);
    }
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    // Ends all and calls `visit` with the user_data of each.
    template <class Visit>
    void end_all(Visit visit) {
        for (const auto& [user_data, all] : open_) {
            for (std::size_t i = 0; i < all.size(); ++i) visit(user_data);
        }
        open_.clear();
        count_ = 0;
    }

private:
    std::unordered_map<std::uint64_t, std::deque<operation>> open_;
    std::size_t count_ = 0;
};

}  // namespace ioring::backends::trace
