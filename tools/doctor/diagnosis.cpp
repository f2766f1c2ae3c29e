// SPDX-License-Identifier: MIT
// diagnosis.cpp - asks the system, the library and the sums.
#include "doctor/diagnosis.hpp"

#include <algorithm>
#include <utility>

#include "common/command_line.hpp"
#include "ioring/ring.hpp"

namespace doctor {
namespace {

constexpr std::uint64_t connections_default = 10'000;

choice make_ring(const settings& asked) {
    const std::uint64_t connections = asked.connections.value_or(connections_default);
    ioring::ring made;
    choice result;
    const ioring::ring_options options{.connections_max = static_cast<std::uint32_t>(connections),
                                       .backend = asked.backend};
    if (ioring::ring::create(options, made, &result.reason)) return result;
    result.made = true;
    result.backend = made.backend_info().name;
    result.reason = made.backend_info().reason;
    result.description = made.backend_info().description;
    result.probe = made.probe();
    return result;
}

std::optional<ioring::feature> missing_for(strategy_kind strategy, const choice& chosen) {
    if (!chosen.made || strategy == strategy_kind::own_ring) return std::nullopt;
    const auto needed = strategy == strategy_kind::shared_pool
                            ? ioring::feature::buffer_rings
                            : ioring::feature::incremental_buffers;
    if (chosen.probe.has(needed)) return std::nullopt;
    return needed;
}

}  // namespace

std::uint64_t diagnosis::connections() const noexcept {
    return missing || !chosen.made ? 0 : prices.front().connections();
}

bool diagnosis::fits() const noexcept { return connections() >= asked.connections.value_or(1); }

int diagnosis::status() const noexcept {
    if (!chosen.made) return ioring::tools::exit_failed;
    // Without a number nothing was asked that could not fit.
    return asked.connections && !fits() ? exit_does_not_fit : ioring::tools::exit_done;
}

diagnosis diagnose(const settings& asked) {
    diagnosis result;
    result.asked = asked;
    // Before the trials, whose rings are given back by and by.
    result.found = examine_machine();
    result.backends = ioring::examine_backends();
    result.chosen = make_ring(asked);
    result.prices = prices_of(asked.how, allowances_of(result.found));
    result.missing = missing_for(asked.how.strategy, result.chosen);
    return result;
}

}  // namespace doctor
