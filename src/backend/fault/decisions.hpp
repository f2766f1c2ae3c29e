// SPDX-License-Identifier: MIT
// decisions.hpp - the dice: what happens to an entry follows from the seed and the entry's number
// alone.
//
// There is no state that one decision leaves to the next. So the same program with the same seed
// meets the same faults at the same entries, however its completions interleave in time.
#pragma once

#include <cstdint>

#include "backend/fault/kinds.hpp"

namespace ioring::backends::fault {

// Whom a decision is about: the SQE's number since the ring began (or the number of an enter), and
// within it the number of its CQE.
struct subject {
    std::uint64_t number = 0;
    std::uint64_t part = 0;
};

class decisions {
public:
    decisions(std::uint64_t seed, const intensity& level) noexcept : seed_{seed}, level_{level} {}

    [[nodiscard]] bool happens(kind which, subject about) const noexcept {
        const std::uint16_t per_mille = level_.per_mille[static_cast<std::size_t>(which)];
        return per_mille != 0 && random(which, about, /*salt=*/0) % 1000 < per_mille;
    }
    // A number from 0 to `below` - 1, for the details of a fault that happens.
    [[nodiscard]] std::uint64_t pick(kind which, subject about,
                                     std::uint64_t below) const noexcept {
        return below == 0 ? 0 : random(which, about, /*salt=*/1) % below;
    }
    [[nodiscard]] std::uint32_t late_turns_max() const noexcept { return level_.late_turns_max; }

private:
    // The finaliser of splitmix64: each bit of the input reaches each of the output.
    [[nodiscard]] static constexpr std::uint64_t mix(std::uint64_t value) noexcept {
        value += 0x9e3779b97f4a7c15U;
        value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
        value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
        return value ^ (value >> 31U);
    }
    [[nodiscard]] std::uint64_t random(kind which, subject about,
                                       std::uint64_t salt) const noexcept {
        const std::uint64_t name = static_cast<std::uint64_t>(which) * 2 + salt;
        return mix(mix(mix(seed_ ^ mix(name)) + about.number) + about.part);
    }

    std::uint64_t seed_;
    const intensity& level_;
};

}  // namespace ioring::backends::fault
