// SPDX-License-Identifier: MIT
// queue_budget.hpp - how large the completion queue must be for the sockets that share it.
//
// A socket is attached with limits for its receives and sends, and the queue must have room for
// the limits of all of them at once. What a socket was given comes back when its last completion
// has been taken out of the queue, not when it is closed: until then the system counts it, too.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstdint>

#include "backend/rio/rio_abi.hpp"

namespace ioring::backends::rio {

class queue_budget {
public:
    static constexpr std::uint32_t entries_min = 256;
    static constexpr std::uint32_t entries_max = abi::completion_queue_size_max;
    // The system may give entries back a while after a socket was closed.
    static constexpr std::uint32_t slack = 16;

    // Of the queue as it is now.
    [[nodiscard]] std::uint32_t entries() const noexcept { return entries_; }
    [[nodiscard]] std::uint32_t reserved() const noexcept { return reserved_; }
    [[nodiscard]] bool has_room(std::uint32_t more) const noexcept {
        return std::uint64_t{reserved_} + more + slack <= entries_;
    }
    // The size to grow to, so that there is room for `more`: half as large again at least, that it
    // is seldom done. 0: no queue is as large as that, or none is larger than this one.
    [[nodiscard]] std::uint32_t grown_for(std::uint32_t more) const noexcept {
        const std::uint64_t least = std::uint64_t{reserved_} + more + slack;
        if (least > entries_max || entries_ == entries_max) return 0;
        const std::uint64_t half_again = std::uint64_t{entries_} + entries_ / 2;
        return static_cast<std::uint32_t>(std::min<std::uint64_t>(
            std::max({least, half_again, std::uint64_t{entries_min}}), entries_max));
    }
    void resized(std::uint32_t entries) noexcept { entries_ = entries; }
    void reserve(std::uint32_t count) noexcept {
        assert(has_room(count));
        reserved_ += count;
    }
    void give_back(std::uint32_t count) noexcept {
        assert(count <= reserved_);
        reserved_ -= count;
    }

private:
    std::uint32_t entries_ = 0;
    std::uint32_t reserved_ = 0;
};

}  // namespace ioring::backends::rio
