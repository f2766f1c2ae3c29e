// SPDX-License-Identifier: MIT
// user_data.hpp - a checked way to put a kind, a slot and its generation into 64 bits.
#pragma once

#include <cassert>
#include <cstdint>
#include <type_traits>

namespace ioring {

// What a program usually wants to find in a CQE: which operation it was, on which of its slots, and
// whether the slot still belongs to the same connection. Layout, from the top: 8 bits of kind, 24
// bits of slot, 32 bits of generation. Any other use of the 64 bits is as good; only ~0 is
// reserved.
class user_data {
public:
    static constexpr std::uint32_t slots_max = 1U << 24U;  // By the width of its field.

    // Preconditions: kind fits 8 bits, slot < slots_max, and not all of the three are at their
    // maximum (that would be the reserved value ~0).
    template <class Kind>
    constexpr explicit user_data(Kind kind, std::uint32_t slot = 0,
                                 std::uint32_t generation = 0) noexcept
        : value_{(static_cast<std::uint64_t>(kind) << 56U) |
                 (static_cast<std::uint64_t>(slot) << 32U) | generation} {
        static_assert(std::is_enum_v<Kind> || std::is_integral_v<Kind>);
        assert(static_cast<std::uint64_t>(kind) <= 0xff);
        assert(slot < slots_max);
        assert(value_ != ~std::uint64_t{0});
    }

    // So that it goes wherever a plain user_data goes.
    // NOLINTNEXTLINE(google-explicit-constructor)
    constexpr operator std::uint64_t() const noexcept { return value_; }

    // The three again.
    template <class Kind>
    struct parts {
        Kind kind;                 // Which operation.
        std::uint32_t slot;        // Below slots_max.
        std::uint32_t generation;  // Of the slot's owner at the time.
    };

    // Takes `value` apart, whatever it is.
    template <class Kind>
    [[nodiscard]] static constexpr parts<Kind> decode(std::uint64_t value) noexcept {
        return {static_cast<Kind>(value >> 56U),
                static_cast<std::uint32_t>((value >> 32U) & (slots_max - 1)),
                static_cast<std::uint32_t>(value)};
    }

private:
    std::uint64_t value_;
};

}  // namespace ioring
