// SPDX-License-Identifier: MIT
// churn.hpp - rounds of connections of every manner, after each of which nothing may be left.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "ioring/ring.hpp"
#include "soak/echo.hpp"

namespace ioring::soak {

struct settings {
    std::string_view backend = "uring";
    std::uint32_t seconds = 15;
    std::uint32_t percent = 25;  // Of one core.
    std::uint32_t together = 64;
    std::uint32_t seed = 1;
};

struct figures {
    std::uint32_t rounds = 0;
    std::array<std::uint64_t, manners> connections{};  // By manner.
    std::array<std::uint64_t, manners> clean{};
    std::uint64_t bytes_verified = 0;  // By both sides.
    std::uint32_t excused = 0;
    std::size_t descriptors = 0;  // While idle: the same after each round.
    std::size_t resident_first_kib = 0;
    std::size_t resident_last_kib = 0;
    double cpu_seconds = 0;
    double seconds = 0;
};

enum class outcome : std::uint8_t { clean, broken, unavailable };

// `why` says what was wrong, or what this machine lacks.
[[nodiscard]] outcome churn(const settings& with, figures& out, std::string& why);

}  // namespace ioring::soak
