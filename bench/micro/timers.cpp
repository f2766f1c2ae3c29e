// SPDX-License-Identifier: MIT
// timers.cpp - what a timer of a socket_manager costs, with a million others armed.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <vector>

#include "ioring/ring.hpp"
#include "ioring/socket_manager.hpp"

namespace {

using ioring::socket_manager;
using namespace std::chrono_literals;

// Delays as programs have them, from a millisecond to an hour, in no order.
std::chrono::milliseconds delay_of(std::uint64_t index) {
    const std::uint64_t mixed = index * 0x9e37'79b9'7f4a'7c15U;
    return std::chrono::milliseconds{1'000 + (mixed >> 20U) % 3'600'000};
}

struct world {
    ioring::ring ring = ioring::ring::create({.sq_entries = 64});
    socket_manager sockets{ring, {.sockets_max = 1, .chunks = 1}};
};

// `turns`: a poll() comes between, so that each timer is put into its place in the wheel first.
void arm_and_cancel(benchmark::State& state, bool turns) {
    world of;
    const auto count = static_cast<std::uint64_t>(state.range(0));
    std::vector<socket_manager::timer_id> ids(count);
    for (auto unused : state) {
        static_cast<void>(unused);
        for (std::uint64_t i = 0; i < count; ++i) ids[i] = of.sockets.start_timer(delay_of(i), i);
        if (turns && !of.sockets.poll(0ns).empty()) state.SkipWithError("a timer came early");
        for (const auto id : ids) {
            if (!of.sockets.cancel_timer(id)) state.SkipWithError("a timer was lost");
        }
    }
    // A timer armed and cancelled is one item.
    state.SetItemsProcessed(static_cast<std::int64_t>(count) * state.iterations());
}

void arm_and_cancel_in_a_turn(benchmark::State& state) { arm_and_cancel(state, false); }
void arm_and_cancel_over_a_turn(benchmark::State& state) { arm_and_cancel(state, true); }

}  // namespace

BENCHMARK(arm_and_cancel_in_a_turn)->Arg(1'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);
BENCHMARK(arm_and_cancel_over_a_turn)->Arg(1'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);
