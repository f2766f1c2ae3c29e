// SPDX-License-Identifier: MIT
// socket_map.hpp - the attached socket that a system's socket is: a hash table that never throws.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "backend/emulation/growing_array.hpp"
#include "backend/rio/rio_core.hpp"

namespace ioring::backends::rio {

// Open addressing, at most half full; what is removed leaves no mark behind.
class socket_map {
public:
    // Makes room for one more. False: no memory.
    [[nodiscard]] bool make_room() noexcept {
        if (2 * (count_ + 1) <= places_.size()) return true;
        emulation::growing_array<place> old = std::move(places_);
        places_ = {};
        if (!places_.grow_to(2 * old.size() + (old.size() == 0 ? 1 : 0))) {
            places_ = std::move(old);
            return false;
        }
        for (std::size_t index = 0; index < old.size(); ++index) {
            if (old[index].id.generation != 0) *find_place(old[index].socket) = old[index];
        }
        return true;
    }
    // Precondition: make_room(), and it is not there.
    void add(abi::socket socket, reference id) noexcept {
        assert(find(socket).generation == 0);
        *find_place(socket) = {socket, id};
        ++count_;
    }
    // Generation 0: it is none of them.
    [[nodiscard]] reference find(abi::socket socket) const noexcept {
        if (count_ == 0) return {};
        return const_cast<socket_map*>(this)->find_place(socket)->id;
    }
    void remove(abi::socket socket) noexcept {
        assert(find(socket).generation != 0);
        std::size_t hole = index_of(*find_place(socket));
        // Those behind it move up, unless they would come to lie before their own place.
        for (std::size_t next = after(hole); places_[next].id.generation != 0; next = after(next)) {
            const std::size_t home = home_of(places_[next].socket);
            const bool stays =
                hole <= next ? hole < home && home <= next : hole < home || home <= next;
            if (stays) continue;
            places_[hole] = places_[next];
            hole = next;
        }
        places_[hole] = {};
        --count_;
    }
    [[nodiscard]] std::size_t count() const noexcept { return count_; }

private:
    struct place {
        abi::socket socket;
        reference id;
    };

    [[nodiscard]] std::size_t home_of(abi::socket socket) const noexcept {
        // Fibonacci hashing: sockets are multiples of 4. The size is a power of two.
        const std::uint64_t mixed = std::uint64_t{socket} * 0x9e37'79b9'7f4a'7c15U;
        return static_cast<std::size_t>(mixed >> 32U) & (places_.size() - 1);
    }
    [[nodiscard]] std::size_t after(std::size_t index) const noexcept {
        return (index + 1) & (places_.size() - 1);
    }
    [[nodiscard]] std::size_t index_of(const place& which) const noexcept {
        return static_cast<std::size_t>(&which - &places_[0]);
    }
    // Where it is, or would be.
    [[nodiscard]] place* find_place(abi::socket socket) noexcept {
        std::size_t index = home_of(socket);
        while (places_[index].id.generation != 0 && places_[index].socket != socket) {
            index = after(index);
        }
        return &places_[index];
    }

    emulation::growing_array<place> places_;
    std::size_t count_ = 0;
};

}  // namespace ioring::backends::rio
