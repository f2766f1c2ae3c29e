// SPDX-License-Identifier: MIT
// buffers.cpp - what a ring_buffer's commits and spans and a buffer_pool's acquire and release
// cost.
#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "ioring/buffer_pool.hpp"
#include "ioring/ring.hpp"
#include "ioring/ring_buffer.hpp"

namespace {

constexpr std::uint32_t capacity_bytes = 65'536;

// One message through the buffer: what an echo does around its recv and its send.
void through_a_buffer(benchmark::State& state, bool rewinding) {
    ioring::ring_buffer buffer(capacity_bytes);
    const auto bytes = static_cast<std::uint64_t>(state.range(0));
    for (auto unused : state) {
        static_cast<void>(unused);
        std::span<std::byte> free = buffer.writable();
        benchmark::DoNotOptimize(free);
        bool done = buffer.commit_write(bytes);
        std::span<const std::byte> filled = buffer.readable();
        benchmark::DoNotOptimize(filled);
        done = buffer.commit_read(bytes) && done;
        if (rewinding) done = buffer.rewind() && done;
        benchmark::DoNotOptimize(done);
    }
}

// `state.range(0)` leases are taken, then all are given back; time is per iteration of all.
template <bool try_only>
void lease_and_give_back(benchmark::State& state) {
    constexpr std::size_t leases_max = 256;
    ioring::ring ring = ioring::ring::create({.backend = "null"});
    ioring::buffer_pool pool(ring, {.buffer_bytes = capacity_bytes, .slab_buffers = leases_max});
    const auto count = static_cast<std::size_t>(state.range(0));
    std::array<ioring::buffer_lease, leases_max> leases;
    for (auto unused : state) {
        static_cast<void>(unused);
        for (std::size_t i = 0; i < count; ++i) {
            leases[i] = try_only ? pool.try_acquire() : pool.acquire();
            benchmark::DoNotOptimize(leases[i].get());
        }
        for (std::size_t i = 0; i < count; ++i) leases[i].reset();
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}

void message(benchmark::State& state) { through_a_buffer(state, /*rewinding=*/false); }
void message_rewind(benchmark::State& state) { through_a_buffer(state, /*rewinding=*/true); }

BENCHMARK(message)->Name("ring_buffer/message")->Arg(64)->Arg(16'384)->Arg(65'536);
BENCHMARK(message_rewind)->Name("ring_buffer/message_rewind")->Arg(64);
BENCHMARK(lease_and_give_back<false>)->Name("buffer_pool/acquire_release")->Arg(1)->Arg(256);
BENCHMARK(lease_and_give_back<true>)->Name("buffer_pool/try_acquire_release")->Arg(1)->Arg(256);

}  // namespace
