// SPDX-License-Identifier: MIT
// settings.hpp - what the load is asked to be; the command line's result.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "common/target.hpp"

namespace load {

struct settings {
    static constexpr std::uint64_t connections_max = 1'000'000;
    static constexpr std::uint64_t size_max = std::uint64_t{1} << 30U;
    static constexpr std::uint64_t depth_max = 65'536;
    // Messages in flight over all connections: their times are kept, 8 bytes each.
    static constexpr std::uint64_t in_flight_max = std::uint64_t{1} << 24U;
    static constexpr double rate_max = 1e7;
    static constexpr std::chrono::nanoseconds duration_default = std::chrono::seconds{10};

    ioring::tools::target server;
    std::uint64_t connections = 50;
    std::uint64_t size_bytes = 64;  // Of a message.
    // Closed loop: messages that each connection keeps in flight. Open loop: at most so many.
    std::uint64_t depth = 1;
    // The load ends after `duration`, or when `messages` were echoed when that is not 0.
    std::chrono::nanoseconds duration = duration_default;
    std::uint64_t messages = 0;
    double rate_per_second = 0;          // Over all connections; 0: closed loop.
    double connect_rate_per_second = 0;  // 0: as fast as it goes.
    // Load that is verified, but not counted and not measured.
    std::chrono::nanoseconds warmup{0};
    // A connection without progress for so long is given up.
    std::chrono::nanoseconds timeout = std::chrono::seconds{10};
    std::string backend = "automatic";
    std::optional<int> cpu;
    std::chrono::nanoseconds spin{0};
    bool own_buffers = false;           // Receives as where there are no shared buffers.
    std::optional<std::uint64_t> seed;  // Of the content; a random one when not given.
    bool json = false;
    bool quiet = false;
    bool marks = false;  // A line on the standard output where measuring begins and where it ends.
    bool interactive = false;

    [[nodiscard]] bool open_loop() const noexcept { return rate_per_second > 0; }
};

}  // namespace load
