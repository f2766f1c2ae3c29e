// SPDX-License-Identifier: MIT
// fit.cpp - the sums, and the order of the limits.
#include "doctor/fit.hpp"

#include <algorithm>

#include "common/descriptors.hpp"
#include "ioring/buffer_pool.hpp"
#include "ioring/ring_options.hpp"

namespace doctor {
namespace {

constexpr std::uint64_t mib = 1U << 20U;
// Of one memory object; it has one mapping more than buffers (pool_options::slab_buffers).
constexpr std::uint64_t slab_buffers = 256;
// What a program and its libraries, heap, stack and ring map beside that; measured: about 60.
constexpr std::uint64_t mappings_reserve = 256;
// The same in bytes, with the tables of the ring.
constexpr std::uint64_t memory_reserve = 16 * mib;
constexpr std::uint64_t address_reserve = 64 * mib;
constexpr std::uint64_t shared_chunks = 256;
constexpr std::uint64_t buffer_groups_max = 65'536;
// A connection's own bookkeeping where it has no buffer.
constexpr std::uint64_t shared_connection_bytes = 1024;

// a * b + c, held at `unlimited`.
std::uint64_t multiply_add(std::uint64_t a, std::uint64_t b, std::uint64_t c) noexcept {
    if (b != 0 && a > (unlimited - c) / b) return unlimited;
    return a * b + c;
}

price descriptors(const allowances& allowed) {
    return {.kind = limit_kind::descriptors,
            .allowed = allowed.descriptors,
            .fixed = ioring::tools::descriptors_reserve,
            .each = 1};
}

void add_pool(const manner& how, const allowances& allowed, std::vector<price>& out) {
    const bool groups = how.strategy == strategy_kind::own_ring_multishot;
    // The records of a private group take a page.
    const std::uint64_t bytes = multiply_add(how.buffer_bytes, 1, groups ? allowed.page_bytes : 0);
    out.push_back({.kind = limit_kind::mappings,
                   .allowed = allowed.mappings,
                   .fixed = mappings_reserve,
                   .each = 1,
                   .pack = 1,
                   .pack_size = slab_buffers});
    out.push_back({.kind = limit_kind::memory,
                   .allowed = allowed.memory_bytes,
                   .fixed = memory_reserve,
                   .each = bytes});
    // Each buffer is there twice.
    out.push_back({.kind = limit_kind::address_space,
                   .allowed = allowed.address_bytes,
                   .fixed = address_reserve,
                   .each = multiply_add(how.buffer_bytes, 1, bytes)});
    out.push_back({.kind = limit_kind::pool_buffers,
                   .allowed = ioring::pool_options::buffers_max,
                   .each = 1});
    if (groups) {
        out.push_back({.kind = limit_kind::buffer_groups, .allowed = buffer_groups_max, .each = 1});
    }
}

void add_shared(const manner& how, const allowances& allowed, std::vector<price>& out) {
    out.push_back({.kind = limit_kind::memory,
                   .allowed = allowed.memory_bytes,
                   .fixed = multiply_add(shared_chunks, how.buffer_bytes, memory_reserve),
                   .each = shared_connection_bytes});
    out.push_back({.kind = limit_kind::address_space,
                   .allowed = allowed.address_bytes,
                   .fixed = multiply_add(shared_chunks, how.buffer_bytes, address_reserve),
                   .each = shared_connection_bytes});
}

}  // namespace

std::string_view name_of(limit_kind kind) noexcept {
    switch (kind) {
        case limit_kind::descriptors: return "descriptors";
        case limit_kind::mappings: return "mappings";
        case limit_kind::memory: return "memory";
        case limit_kind::address_space: return "address_space";
        case limit_kind::pool_buffers: return "pool_buffers";
        case limit_kind::buffer_groups: return "buffer_groups";
        case limit_kind::ring_sockets: return "ring_sockets";
    }
    return "";
}

bool counts_bytes(limit_kind kind) noexcept {
    return kind == limit_kind::memory || kind == limit_kind::address_space;
}

std::uint64_t price::needed(std::uint64_t connections) const noexcept {
    const std::uint64_t packs = connections / pack_size + (connections % pack_size != 0 ? 1 : 0);
    return multiply_add(connections, each, multiply_add(packs, pack, fixed));
}

std::uint64_t price::connections() const noexcept {
    if (allowed == unlimited || (each == 0 && pack == 0)) {
        return allowed < fixed ? 0 : unlimited;
    }
    if (allowed <= fixed) return 0;
    const std::uint64_t left = allowed - fixed;
    if (pack == 0) return left / each;
    // A whole pack at a time, then as many as the part of one allows.
    const std::uint64_t whole = multiply_add(each, pack_size, pack);
    const std::uint64_t rest = left % whole;
    const std::uint64_t part = rest > pack && each != 0 ? (rest - pack) / each : 0;
    return multiply_add(left / whole, pack_size, part);
}

std::vector<price> prices_of(const manner& how, const allowances& allowed) {
    std::vector<price> all{descriptors(allowed)};
    if (how.strategy == strategy_kind::shared_pool) {
        add_shared(how, allowed, all);
    } else {
        add_pool(how, allowed, all);
    }
    all.push_back({.kind = limit_kind::ring_sockets,
                   .allowed = ioring::ring_options::connections_max_max,
                   .each = 1});
    std::stable_sort(all.begin(), all.end(), [](const price& a, const price& b) {
        return a.connections() < b.connections();
    });
    return all;
}

}  // namespace doctor
