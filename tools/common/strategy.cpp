// SPDX-License-Identifier: MIT
// strategy.cpp - the names of the three ways to receive.
#include "common/strategy.hpp"

#include <array>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

namespace ioring::tools {
namespace {

constexpr std::array strategies{strategy_kind::own_ring, strategy_kind::own_ring_multishot,
                                strategy_kind::shared_pool};
constexpr limits buffer_bytes_range{.min = 1024, .max = 1U << 30U};

}  // namespace

std::string_view name_of(strategy_kind kind) noexcept {
    switch (kind) {
        case strategy_kind::own_ring: return "own-ring";
        case strategy_kind::own_ring_multishot: return "own-ring-multishot";
        case strategy_kind::shared_pool: return "shared-pool";
    }
    return "";
}

CLI::Option* add_strategy(CLI::App& app, strategy_kind& out, const std::string& description) {
    const auto take = [&out](const std::string& text) {
        for (const strategy_kind kind : strategies) {
            if (text != name_of(kind)) continue;
            out = kind;
            return;
        }
        throw CLI::ValidationError(
            "--strategy",
            fmt::format("`{}` is no strategy: use own-ring, own-ring-multishot or shared-pool",
                        text));
    };
    return app.add_option_function<std::string>("--strategy", take, description)
        ->type_name("NAME")
        ->default_str(std::string{name_of(out)});
}

CLI::Option* add_buffer_size(CLI::App& app, std::uint64_t& out, const std::string& description) {
    return add_size(app, "--buffer-size", out, buffer_bytes_range, description);
}

}  // namespace ioring::tools
