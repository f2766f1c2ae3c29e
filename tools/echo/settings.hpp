// SPDX-License-Identifier: MIT
// settings.hpp - what the server is asked to be: the command line's result.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "common/strategy.hpp"
#include "common/target.hpp"

namespace echo {

inline constexpr const char* program = "ioring-echo";
inline constexpr const char* null_refusal = "null moves no bytes, so it cannot serve anybody";

using ioring::tools::strategy_kind;
// raw: on the ring, by a strategy. managed: on a socket_manager.
enum class mode_kind : std::uint8_t { raw, managed };

struct settings {
    // Connections at a time of each thread when --connections is not given, or fewer where the
    // descriptor limit is lower.
    static constexpr std::uint32_t connections_default = 10'000;
    static constexpr std::uint32_t connections_max = 1'000'000;
    static constexpr std::uint32_t threads_max = 128;

    ioring::tools::target where{.host = "0.0.0.0", .unix_path = {}};
    bool dual_stack = false;
    std::string backend = "automatic";
    mode_kind mode = mode_kind::raw;
    strategy_kind strategy = strategy_kind::own_ring;
    bool copy = false;     // managed: by write(), which copies, instead of forward().
    bool overlap = false;  // own_ring: the next receive is armed with the send, not after it.
    std::optional<std::uint32_t> connections;
    std::uint32_t buffer_bytes = 65'536;
    std::optional<int> cpu;     // Of the first thread; the others take those that follow.
    std::uint32_t threads = 1;  // Each with a ring, a listener and connections of its own.
    std::chrono::nanoseconds duration{0};                      // 0: until a signal.
    std::chrono::nanoseconds drain = std::chrono::seconds{2};  // For peers, at the stop.
    std::chrono::microseconds spin{0};
    bool stats = false;
    bool quiet = false;
    bool json = false;
};

// Reads the command line into `out`. A value is the status to exit with, after a complaint or
// --help.
[[nodiscard]] std::optional<int> read_settings(int argc, const char* const* argv, settings& out);

}  // namespace echo
