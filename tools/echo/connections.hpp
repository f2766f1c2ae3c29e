// SPDX-License-Identifier: MIT
// connections.hpp - a fixed table of connections; the slot freed last is taken first.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ioring/fd.hpp"

namespace echo {

// What every strategy's connections have. At most one receive and one send are in flight.
struct connection {
    ioring::fd socket;
    std::uint32_t generation = 0;  // Of the present or the last owner of the slot.
    std::uint32_t send_bytes = 0;  // Asked for by the send in flight.
    bool open = false;
    bool receiving = false;
    bool receive_cancelled = false;  // The receive in flight is being ended.
    bool sending = false;
    bool send_cancelled = false;  // The send in flight is being ended.
    bool ended = false;           // Nothing more is echoed: end of stream, an error, or the stop.
    bool peer_ended = false;      // Nothing more can come: end of stream or an error.
    bool lingering = false;       // All is sent and said; what still comes is thrown away.
    bool failed = false;          // What is not sent yet never will be.
    bool dirty = false;           // In the server's list of those to look at.
};

class connection_table {
public:
    static constexpr std::uint32_t none = ~0U;

    explicit connection_table(std::uint32_t connections_max) : table_(connections_max) {
        free_.reserve(connections_max);
        for (std::uint32_t slot = connections_max; slot-- > 0;) free_.push_back(slot);
    }

    // A slot for `socket` under a new generation, or none.
    [[nodiscard]] std::uint32_t take(ioring::fd socket) noexcept {
        if (free_.empty()) return none;
        const std::uint32_t slot = free_.back();
        free_.pop_back();
        connection& at = table_[slot];
        // Its last owner may have left it in the server's list.
        at = connection{
            .socket = socket, .generation = at.generation + 1, .open = true, .dirty = at.dirty};
        return slot;
    }

    // The connection must have nothing in flight.
    void give_back(std::uint32_t slot) noexcept {
        connection& at = table_[slot];
        assert(at.open && !at.receiving && !at.sending);
        at.open = false;
        at.socket = {};
        free_.push_back(slot);
    }

    [[nodiscard]] connection& operator[](std::uint32_t slot) noexcept { return table_[slot]; }
    [[nodiscard]] const connection& operator[](std::uint32_t slot) const noexcept {
        return table_[slot];
    }
    // Whether a completion of `generation` is of the slot's present connection.
    [[nodiscard]] bool is_current(std::uint32_t slot, std::uint32_t generation) const noexcept {
        return slot < table_.size() && table_[slot].open && table_[slot].generation == generation;
    }
    [[nodiscard]] std::uint32_t size() const noexcept {
        return static_cast<std::uint32_t>(table_.size());
    }
    [[nodiscard]] std::uint32_t open_count() const noexcept {
        return static_cast<std::uint32_t>(table_.size() - free_.size());
    }

private:
    std::vector<connection> table_;
    std::vector<std::uint32_t> free_;
};

}  // namespace echo
