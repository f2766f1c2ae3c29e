// SPDX-License-Identifier: MIT
// group_checks.hpp - what both kinds of buffer group refuse before they begin.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include "ioring/buffer_group.hpp"
#include "ioring/probe.hpp"
#include "platform/text.hpp"
#include "ring/ring_state.hpp"

namespace ioring::detail {

[[nodiscard]] inline std::error_code check_range(std::string_view what, std::uint32_t value,
                                                 std::uint32_t least, std::uint32_t most,
                                                 std::string* why) noexcept {
    if (value >= least && value <= most) return {};
    platform::explain(why, what, " is ", value, ", must be ", least, " to ", most);
    return std::make_error_code(std::errc::invalid_argument);
}

[[nodiscard]] inline std::error_code check_group_id(std::string_view options, std::int32_t group,
                                                    std::string* why) noexcept {
    if (group >= group_options::automatic && group <= 0xffff) return {};
    platform::explain(why, options, "::group is ", group, ", must be 0 to 65535, or -1");
    return std::make_error_code(std::errc::invalid_argument);
}

[[nodiscard]] inline std::error_code check_ring(const ring_state* ring, std::string* why) noexcept {
    if (ring == nullptr) {
        platform::explain(why, "a buffer group needs a ring");
        return std::make_error_code(std::errc::invalid_argument);
    }
    if (!ring->probe().has(feature::buffer_rings)) {
        platform::explain(why, "the backend ", ring->info().name, " has no buffer groups here");
        return std::make_error_code(std::errc::not_supported);
    }
    return {};
}

}  // namespace ioring::detail
