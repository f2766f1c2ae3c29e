// SPDX-License-Identifier: MIT
// coverage.hpp - which operation with which flag ended how: counts over all programs.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "ioring/sqe.hpp"

namespace ioring::differential {

// Lives in memory that is shared among processes: no pointers, all zero at first.
class coverage {
public:
    static constexpr std::size_t opcodes_max = 64;
    static constexpr std::size_t flags_max = 40;
    static constexpr std::size_t results_max = 40;

    // `bytes`: how many were to be moved, 0 for what has no such number.
    void count(const sqe& entry, const cqe& done, std::uint32_t bytes) noexcept;
    // The table, and after it what no program has reached.
    [[nodiscard]] std::string report() const;
    // Lines of the second part.
    [[nodiscard]] std::size_t unreached() const;

private:
    [[nodiscard]] std::uint64_t cell(std::size_t op, std::size_t flag, std::size_t result) const {
        return counts_[op][flag][result].load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::string list_unreached(std::size_t& lines) const;

    std::array<std::array<std::array<std::atomic<std::uint64_t>, results_max>, flags_max>,
               opcodes_max>
        counts_;
};

}  // namespace ioring::differential
