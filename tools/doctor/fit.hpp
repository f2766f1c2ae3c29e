// SPDX-License-Identifier: MIT
// fit.hpp - how many connections the limits of a process allow, and which limit comes first.
//
// The sums are those of the library's three ways to receive, as ioring-echo uses them: own-ring and
// own-ring-multishot give each connection a mirrored buffer of a pool, shared-pool receives into
// chunks that all connections share.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "common/strategy.hpp"

namespace doctor {

inline constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

using ioring::tools::strategy_kind;

struct manner {
    strategy_kind strategy = strategy_kind::own_ring;
    std::uint64_t buffer_bytes = 65'536;  // Of a connection, or of a chunk.
};

// What a process may have; `unlimited` where there is no limit or it is not known.
struct allowances {
    std::uint64_t descriptors = unlimited;
    std::uint64_t mappings = unlimited;
    std::uint64_t memory_bytes = unlimited;
    std::uint64_t address_bytes = unlimited;
    std::uint64_t page_bytes = 4096;
};

enum class limit_kind : std::uint8_t {
    descriptors,
    mappings,
    memory,
    address_space,
    pool_buffers,   // Of this library: buffers of one pool,
    buffer_groups,  // and groups of one ring.
    ring_sockets
};

[[nodiscard]] std::string_view name_of(limit_kind kind) noexcept;
[[nodiscard]] bool counts_bytes(limit_kind kind) noexcept;

// What connections take of one limit: `each` for one of them, `pack` more for every `pack_size` of
// them or part of it, and `fixed` whatever their number.
struct price {
    limit_kind kind;
    std::uint64_t allowed = unlimited;
    std::uint64_t fixed = 0;
    std::uint64_t each = 0;
    std::uint64_t pack = 0;
    std::uint64_t pack_size = 1;

    // Of this limit for `connections`; `unlimited` when that is no number any more.
    [[nodiscard]] std::uint64_t needed(std::uint64_t connections) const noexcept;
    // How many connections fit; `unlimited` when they take nothing of it.
    [[nodiscard]] std::uint64_t connections() const noexcept;
};

// The limits that connections of this manner meet, the one that binds first at the front.
[[nodiscard]] std::vector<price> prices_of(const manner& how, const allowances& allowed);

}  // namespace doctor
