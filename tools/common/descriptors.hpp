// SPDX-License-Identifier: MIT
// descriptors.hpp - enough file descriptors for the connections asked for.
#pragma once

#include <cstdint>
#include <string>

namespace ioring::tools {

// What a tool needs beside its connections: standard streams, the ring, listeners, libraries.
inline constexpr std::uint64_t descriptors_reserve = 32;

// Raises the soft limit to `connections` + descriptors_reserve when it is lower. False with a
// sentence in `why` that names both numbers and what to do, when the hard limit forbids it; nothing
// has changed then.
[[nodiscard]] bool ensure_descriptors(std::uint64_t connections, std::string& why);

}  // namespace ioring::tools
