// SPDX-License-Identifier: MIT
// socket_table.hpp - small numbers for the sockets of a system whose own names are wider: Windows.
//
// An SQE has 32 bits for a descriptor, a SOCKET has 64. So the process numbers its sockets, from 0,
// and everything above this layer knows the numbers only. A number that is given back is the last
// one to be given out again, and its generation tells the new socket from the old.
//
// Threads: any. find() takes no lock. Using a number while another thread closes it is the error
// that it is with descriptors.
#pragma once

#include <cstdint>

namespace ioring::platform {

class socket_table {
public:
    static constexpr std::uint32_t slots_max = 1U << 22U;

    enum class kind : std::uint8_t {
        none,    // The number is nobody's.
        socket,  // `handle` is the system's.
        other    // Something else that has a number: a ring.
    };
    struct found {
        kind what = kind::none;
        std::uintptr_t handle = 0;
        std::uint32_t generation = 0;
    };

    // A number for `handle`, or -1: slots_max, or no memory.
    [[nodiscard]] static std::int32_t add(std::uintptr_t handle, kind what = kind::socket) noexcept;
    [[nodiscard]] static found find(std::int32_t slot) noexcept;
    // The socket of that number was closed without it: the number stays taken, and means no socket.
    static void disown(std::int32_t slot) noexcept;
    // The number is nobody's from now on. Returns what it was.
    static found remove(std::int32_t slot) noexcept;
};

}  // namespace ioring::platform
