// SPDX-License-Identifier: MIT
// stream.hpp - what a connection of the churn says: bytes that both of its ends know.
//
// The first 16 bytes tell the server which manner of connection it is, so that the two sides share
// nothing else; they are echoed and verified as all others are.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace ioring::soak {

// How a connection goes, and who ends it.
enum class manner : std::uint8_t {
    normal,         // Says everything, gets it back, closes.
    half_close,     // Ends its side before it has read anything.
    reset,          // Is reset by its client in the middle.
    slow_reader,    // Says much and reads it bit by bit.
    slow_writer,    // A few bytes at a time.
    idle,           // Has talked, and then does nothing until it is closed.
    silent,         // The same without a single byte.
    never_reads,    // Says what it can and reads nothing until it is reset.
    server_ends,    // The server closes it when all is said; the client follows.
    never_ends,     // The same, and the client does not follow until it is reset.
    server_aborts,  // The server resets it in the middle.
    outbound,       // The manager's own connect(), to its own listener.
    refused,        // The manager's own connect(), where nobody listens.
};
inline constexpr std::size_t manners = 13;
inline constexpr std::size_t manners_of_clients = 11;  // Those before `outbound`.

[[nodiscard]] inline std::string_view to_string(manner how) noexcept {
    constexpr std::array<std::string_view, manners> names{
        "normal",        "half_close", "reset",       "slow_reader", "slow_writer",
        "idle",          "silent",     "never_reads", "server_ends", "never_ends",
        "server_aborts", "outbound",   "refused"};
    return names[static_cast<std::size_t>(how)];
}

inline constexpr std::uint32_t header_bytes = 16;

struct talk {
    manner how = manner::normal;
    std::uint32_t seed = 0;
    std::uint32_t bytes = 0;  // Of the whole stream, in each direction; with its header, or 0.
};

[[nodiscard]] inline std::uint8_t header_at(const talk& of, std::uint32_t position) noexcept {
    constexpr std::string_view magic = "soak";
    const std::uint32_t shift = position % 4 * 8;
    if (position < 4) return static_cast<std::uint8_t>(magic[position]);
    if (position < 8) return static_cast<std::uint8_t>(of.how);
    return static_cast<std::uint8_t>((position < 12 ? of.seed : of.bytes) >> shift);
}

[[nodiscard]] inline std::byte byte_at(const talk& of, std::uint32_t position) noexcept {
    if (position < header_bytes) return std::byte{header_at(of, position)};
    return static_cast<std::byte>(position * 31 + position / 251 + (position >> 16U) * 7 +
                                  of.seed * 97);
}

inline void fill(const talk& of, std::uint32_t position, std::span<std::byte> out) noexcept {
    for (std::byte& each : out) each = byte_at(of, position++);
}

[[nodiscard]] inline bool matches(const talk& of, std::uint32_t position,
                                  std::span<const std::byte> bytes) noexcept {
    if (position + bytes.size() > of.bytes) return false;
    return std::all_of(bytes.begin(), bytes.end(),
                       [&](std::byte each) { return each == byte_at(of, position++); });
}

// What a header says, or nothing when it is none. Precondition: header_bytes of it are there.
[[nodiscard]] inline std::optional<talk> read_header(std::span<const std::byte> bytes) noexcept {
    const auto number = [&](std::size_t at) {
        std::uint32_t made = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            made |= std::to_integer<std::uint32_t>(bytes[at + i]) << (8 * i);
        }
        return made;
    };
    const auto how = std::to_integer<std::uint8_t>(bytes[4]);
    if (how >= manners) return std::nullopt;
    const talk made{static_cast<manner>(how), number(8), number(12)};
    if (!matches(made, 0, bytes.first(header_bytes))) return std::nullopt;
    return made;
}

}  // namespace ioring::soak
