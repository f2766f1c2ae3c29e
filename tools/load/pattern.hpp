// SPDX-License-Identifier: MIT
// pattern.hpp - what the streams carry, so that a byte which is not the one sent is found.
//
// Byte `position` of a stream is a byte of a random table of 4 KiB (position modulo 4096), xored
// with a byte of a random 64-bit key that is another one for every stream and every 4 KiB of it.
// So a chunk that was lost, doubled, moved within its stream or taken from another one differs
// from what belongs there: the table tells places within 4 KiB apart, the key everything else. A
// single foreign byte is equal by chance in one of 256 cases, a foreign chunk of n bytes in one
// of 256^n, but then the stream is right as it is.
//
// Filling and comparing work on 64-byte pieces without multiplications: much more than 5 GB/s.
// Threads: read-only after construction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace load {

class pattern {
public:
    static constexpr std::size_t block_bytes = 4096;

    explicit pattern(std::uint64_t seed) noexcept;

    // What the other functions know a stream by.
    [[nodiscard]] std::uint64_t stream_key(std::uint32_t stream) const noexcept;

    // Writes the stream's bytes from `position` on.
    void fill(std::uint64_t key, std::uint64_t position, std::span<std::byte> out) const noexcept;
    // The index of the first byte that is not the stream's from `position` on, or bytes.size().
    [[nodiscard]] std::size_t find_mismatch(std::uint64_t key, std::uint64_t position,
                                            std::span<const std::byte> bytes) const noexcept;
    [[nodiscard]] std::byte at(std::uint64_t key, std::uint64_t position) const noexcept;

private:
    // The table once and the beginning of it again, so that words may be read at its end.
    alignas(64) std::array<std::byte, block_bytes + 64> table_{};
    std::uint64_t seed_;
};

}  // namespace load
