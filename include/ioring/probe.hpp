// SPDX-License-Identifier: MIT
// probe.hpp - what a backend can do here, found by trial.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "ioring/sqe.hpp"

namespace ioring {

// Abilities that no opcode number tells. The order is no promise; `count` is last.
enum class feature : std::uint8_t {
    accept_multishot,     // Linux 5.19
    recv_multishot,       // Linux 6.0
    cancel_any,           // Linux 5.19: by descriptor, all, any
    poll_multishot,       // Linux 5.13
    timeout_multishot,    // Linux 6.4
    buffer_rings,         // Linux 5.19
    incremental_buffers,  // Linux 6.12
    bundles,              // Linux 6.10
    send_vectorized,      // Linux 6.17
    send_zero_copy,       // Linux 6.0
    msg_ring,             // Linux 5.18
    single_issuer,        // The ring belongs to one thread; others get an error (Linux 6.0).
    deferred_taskrun,     // Completions are posted inside enter only (Linux 6.1).
    cooperative_taskrun,  // Linux 5.19
    no_sq_array,          // Linux 6.6
    registered_ring,      // enter() by index instead of descriptor
    registered_wait,      // A time-out costs no copy (Linux 6.13).
    count                 // How many there are.
};

// "accept_multishot". Static.
[[nodiscard]] std::string_view to_string(feature which) noexcept;

// What a ring's backend honours.
struct probe_result {
    std::bitset<256> opcodes;  // Bit n: opcode n.
    // Bit n: the feature of that number.
    std::bitset<static_cast<std::size_t>(feature::count)> features;

    // Without it, an entry of `op` completes with -EINVAL.
    [[nodiscard]] bool supports(opcode op) const noexcept {
        return opcodes.test(static_cast<std::size_t>(op));
    }
    // The backend has that ability.
    [[nodiscard]] bool has(feature which) const noexcept {
        return features.test(static_cast<std::size_t>(which));
    }
};

// The features that are there, separated by blanks.
[[nodiscard]] std::string to_string(const probe_result& probe);

}  // namespace ioring
