// SPDX-License-Identifier: MIT
// strategy.hpp - the three ways to receive that the tools know, and the options about them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/command_line.hpp"

namespace ioring::tools {

enum class strategy_kind : std::uint8_t {
    own_ring,            // A mirrored buffer for each connection,
    own_ring_multishot,  // the same, filled by one multishot receive,
    shared_pool          // or chunks of one group for all of them.
};

// As in --strategy.
[[nodiscard]] std::string_view name_of(strategy_kind kind) noexcept;

// --strategy
CLI::Option* add_strategy(CLI::App& app, strategy_kind& out, const std::string& description);
// --buffer-size: 1 KiB to 1 GiB.
CLI::Option* add_buffer_size(CLI::App& app, std::uint64_t& out, const std::string& description);

}  // namespace ioring::tools
