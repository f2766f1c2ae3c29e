// SPDX-License-Identifier: MIT
// pattern.cpp - what the streams carry.
#include "pattern.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace load {
namespace {

using word = std::uint64_t;
constexpr std::size_t word_bytes = sizeof(word);
constexpr std::size_t piece_words = 8;
constexpr std::size_t piece_bytes = piece_words * word_bytes;
constexpr word odd_constant = 0x9e37'79b9'7f4a'7c15;  // 2^64 / golden ratio, as in splitmix64.

// Splitmix64's finaliser: each bit of the result depends on every bit of `value`.
constexpr word mix(word value) noexcept {
    value = (value ^ (value >> 30U)) * 0xbf58'476d'1ce4'e5b9;
    value = (value ^ (value >> 27U)) * 0x94d0'49bb'1331'11eb;
    return value ^ (value >> 31U);
}

word load_word(const std::byte* from) noexcept {
    word value = 0;
    std::memcpy(&value, from, word_bytes);
    return value;
}

// The key of the block that `position` lies in, as the word that is xored at `position`.
word key_at(word key, std::uint64_t position) noexcept {
    const word block_key = mix(key + (position / pattern::block_bytes + 1) * odd_constant);
    // So that its first byte in memory is the one that belongs to `position`.
    constexpr unsigned word_bits = word_bytes * 8;
    const auto bits = static_cast<unsigned>(position % word_bytes) * 8;
    // Two shifts: the standard libraries do not agree on the type of std::rotr()'s count.
    const unsigned rest = (word_bits - bits) % word_bits;
    return std::endian::native == std::endian::little ? block_key >> bits | block_key << rest
                                                      : block_key << bits | block_key >> rest;
}

void fill_run(const std::byte* table, word key, std::byte* out, std::size_t bytes) noexcept {
    std::size_t i = 0;
    for (; i + piece_bytes <= bytes; i += piece_bytes) {
        std::array<word, piece_words> piece;
        std::memcpy(piece.data(), table + i, piece_bytes);
        for (word& value : piece) value ^= key;
        std::memcpy(out + i, piece.data(), piece_bytes);
    }
    for (; i + word_bytes <= bytes; i += word_bytes) {
        const word value = load_word(table + i) ^ key;
        std::memcpy(out + i, &value, word_bytes);
    }
    const word value = load_word(table + i) ^ key;
    std::memcpy(out + i, &value, bytes - i);
}

// The word at `i` of what is there, xored with what should be: 0 when it is right.
word difference(const std::byte* table, word key, const std::byte* bytes, std::size_t i) noexcept {
    return load_word(table + i) ^ key ^ load_word(bytes + i);
}

// Of `bytes` bytes; at least the first one of a piece that differs is in what it leaves.
std::size_t skip_equal_pieces(const std::byte* table, word key, const std::byte* bytes,
                              std::size_t size) noexcept {
    std::size_t i = 0;
    for (; i + piece_bytes <= size; i += piece_bytes) {
        std::array<word, piece_words> wanted;
        std::array<word, piece_words> got;
        std::memcpy(wanted.data(), table + i, piece_bytes);
        std::memcpy(got.data(), bytes + i, piece_bytes);
        word differences = 0;
        for (std::size_t w = 0; w < piece_words; ++w) differences |= wanted[w] ^ got[w] ^ key;
        if (differences != 0) break;
    }
    while (i + word_bytes <= size && difference(table, key, bytes, i) == 0) i += word_bytes;
    return i;
}

std::size_t find_in_run(const std::byte* table, word key, const std::byte* bytes,
                        std::size_t size) noexcept {
    std::size_t i = skip_equal_pieces(table, key, bytes, size);
    std::array<std::byte, word_bytes> key_bytes;
    std::memcpy(key_bytes.data(), &key, word_bytes);
    // At most the rest of a word, or a word of which some byte differs.
    while (i < size && (table[i] ^ key_bytes[i % word_bytes]) == bytes[i]) ++i;
    return i;
}

}  // namespace

pattern::pattern(std::uint64_t seed) noexcept : seed_{mix(seed + odd_constant)} {
    word state = seed_;
    for (std::size_t i = 0; i < block_bytes; i += word_bytes) {
        const word value = mix(state += odd_constant);
        std::memcpy(table_.data() + i, &value, word_bytes);
    }
    std::copy_n(table_.begin(), table_.size() - block_bytes, table_.begin() + block_bytes);
}

std::uint64_t pattern::stream_key(std::uint32_t stream) const noexcept {
    return mix(seed_ ^ mix(stream + 1ULL));
}

void pattern::fill(std::uint64_t key, std::uint64_t position,
                   std::span<std::byte> out) const noexcept {
    while (!out.empty()) {
        const std::size_t place = position % block_bytes;
        const std::size_t run = std::min(out.size(), block_bytes - place);
        fill_run(table_.data() + place, key_at(key, position), out.data(), run);
        position += run;
        out = out.subspan(run);
    }
}

std::size_t pattern::find_mismatch(std::uint64_t key, std::uint64_t position,
                                   std::span<const std::byte> bytes) const noexcept {
    std::size_t found = 0;
    while (found < bytes.size()) {
        const std::size_t place = position % block_bytes;
        const std::size_t run = std::min(bytes.size() - found, block_bytes - place);
        const std::size_t equal =
            find_in_run(table_.data() + place, key_at(key, position), bytes.data() + found, run);
        found += equal;
        if (equal < run) break;
        position += run;
    }
    return found;
}

std::byte pattern::at(std::uint64_t key, std::uint64_t position) const noexcept {
    std::byte value{};
    fill(key, position, {&value, 1});
    return value;
}

}  // namespace load
