// SPDX-License-Identifier: MIT
// journal.hpp - when each message in flight was started.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "connection.hpp"

namespace load {

// Echoes come back in order, so that a connection's times are a queue: `depth` places of a common
// array, with the two ends in the connection.
class journal {
public:
    journal(std::size_t connections, std::uint64_t depth)
        : depth_{static_cast<std::uint32_t>(depth)}, starts_ns_(connections * depth) {}

    [[nodiscard]] bool full(const connection& peer) const noexcept {
        return peer.in_flight() >= depth_;
    }
    void start(connection& peer, std::uint32_t index, std::int64_t now_ns) noexcept {
        assert(!full(peer));
        starts_ns_[std::size_t{index} * depth_ + peer.next_start] = now_ns;
        peer.next_start = next(peer.next_start);
        ++peer.started;
        ++in_flight_;
    }
    // Ends the oldest message and says when it was started.
    std::int64_t finish(connection& peer, std::uint32_t index) noexcept {
        assert(peer.in_flight() > 0);
        const std::int64_t start_ns = starts_ns_[std::size_t{index} * depth_ + peer.oldest_start];
        peer.oldest_start = next(peer.oldest_start);
        ++peer.finished;
        --in_flight_;
        return start_ns;
    }
    // What `peer` has in flight will not come back.
    void forget(const connection& peer) noexcept { in_flight_ -= peer.in_flight(); }

    // Messages in flight over all connections.
    [[nodiscard]] std::uint64_t in_flight() const noexcept { return in_flight_; }

private:
    [[nodiscard]] std::uint32_t next(std::uint32_t place) const noexcept {
        return place + 1 == depth_ ? 0 : place + 1;
    }

    std::uint32_t depth_;
    std::uint64_t in_flight_ = 0;
    std::vector<std::int64_t> starts_ns_;
};

}  // namespace load
