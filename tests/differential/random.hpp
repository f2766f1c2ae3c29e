// SPDX-License-Identifier: MIT
// random.hpp - numbers that depend on a seed and on nothing else, on any machine.
#pragma once

#include <cstdint>

namespace ioring::differential {

// One step of splitmix64: also a hash of a number.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t value) noexcept {
    value += 0x9e37'79b9'7f4a'7c15ULL;
    value = (value ^ (value >> 30U)) * 0xbf58'476d'1ce4'e5b9ULL;
    value = (value ^ (value >> 27U)) * 0x94d0'49bb'1331'11ebULL;
    return value ^ (value >> 31U);
}

class random_source {
public:
    explicit random_source(std::uint64_t seed) noexcept : state_{mix(seed)} {}

    std::uint64_t next() noexcept { return mix(state_++); }
    // 0 to `bound` - 1; precondition: not 0.
    std::uint32_t below(std::uint32_t bound) noexcept {
        return static_cast<std::uint32_t>((next() >> 32U) * bound >> 32U);
    }
    std::uint32_t between(std::uint32_t least, std::uint32_t most) noexcept {
        return least + below(most - least + 1);
    }
    bool percent(std::uint32_t chance) noexcept { return below(100) < chance; }
    template <class Container>
    auto one_of(const Container& of) noexcept {
        return of[below(static_cast<std::uint32_t>(of.size()))];
    }

private:
    std::uint64_t state_;
};

}  // namespace ioring::differential
