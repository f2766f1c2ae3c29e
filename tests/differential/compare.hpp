// SPDX-License-Identifier: MIT
// compare.hpp - whether two runs of a program have shown the same, modulo the contract.
//
// What is compared is, for each step, the completions of each operation in their order, with their
// results, flags and bytes. Not compared: the order of different operations (allowed difference 1),
// which of several equal operations got what (2), the sock_nonempty flag (6), which buffer of a
// group was taken. The other differences do not come up in these programs: see choose.cpp.
#pragma once

#include <optional>
#include <string>

#include "differential/trace.hpp"

namespace ioring::differential {

struct divergence {
    std::size_t step = 0;  // Index into trace::steps.
    std::string what;
};

[[nodiscard]] std::optional<divergence> compare(const trace& one, const trace& other);

// Both traces side by side up to the divergence, for a person; steps without text by number.
[[nodiscard]] std::string report(const divergence& where, const trace& one,
                                 std::string_view one_name, const trace& other,
                                 std::string_view other_name);

}  // namespace ioring::differential
