// SPDX-License-Identifier: MIT
// slots.hpp - a fixed table of connections; the slot freed last is taken first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace peer {

inline constexpr std::uint32_t connections_max = 16384;

// What a request was for: the kind in the low bits of user_data, the slot above. A slot is freed
// only after its last completion, so no generation is needed.
enum class kind : std::uint64_t { accept, stop, recv, send, cancel };

inline constexpr unsigned kind_bits = 3;

constexpr std::uint64_t tag(kind what, std::uint32_t slot = 0) noexcept {
    return (static_cast<std::uint64_t>(slot) << kind_bits) | static_cast<std::uint64_t>(what);
}
constexpr kind kind_of(std::uint64_t user_data) noexcept {
    return static_cast<kind>(user_data & ((1U << kind_bits) - 1));
}
constexpr std::uint32_t slot_of(std::uint64_t user_data) noexcept {
    return static_cast<std::uint32_t>(user_data >> kind_bits);
}

template <typename Connection>
class slots {
public:
    static constexpr std::uint32_t none = ~0U;

    slots() : table_(connections_max) {
        free_.reserve(connections_max);
        for (std::uint32_t slot = connections_max; slot-- > 0;) free_.push_back(slot);
    }

    // A free slot, or `none`.
    std::uint32_t take() {
        if (free_.empty()) return none;
        const std::uint32_t slot = free_.back();
        free_.pop_back();
        return slot;
    }
    void give_back(std::uint32_t slot) { free_.push_back(slot); }

    Connection& operator[](std::uint32_t slot) { return table_[slot]; }

private:
    std::vector<Connection> table_;
    std::vector<std::uint32_t> free_;
};

}  // namespace peer
