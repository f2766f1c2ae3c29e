// SPDX-License-Identifier: MIT
// checker.hpp - verifies what comes back, and takes the time of each message that is complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "clock.hpp"
#include "journal.hpp"
#include "world.hpp"

namespace load {

class checker {
public:
    checker(world& shared, journal& times) noexcept : world_{shared}, times_{times} {}

    // Open loop: latency counts from these times, of which `connections` take turns.
    void follow(const schedule& plan, std::uint64_t connections) noexcept;

    // Verifies the stream's next bytes, which came at `now`. Empty when they are right, otherwise
    // what is wrong with them.
    [[nodiscard]] std::string take(connection& peer, std::uint32_t index,
                                   std::span<const std::byte> bytes, std::int64_t now);

    // Of messages that count, the last one's time.
    [[nodiscard]] std::int64_t last_echo_ns() const noexcept { return last_echo_ns_; }

private:
    void finish_message(connection& peer, std::uint32_t index, std::int64_t now) noexcept;

    world& world_;
    journal& times_;
    schedule plan_;
    std::uint64_t plan_connections_ = 0;  // 0: closed loop.
    std::int64_t last_echo_ns_ = 0;
};

}  // namespace load
