// SPDX-License-Identifier: MIT
// listeners.hpp - a listener of a manager, and how it waits when there is no room for connections.
#pragma once

#include <chrono>
#include <cstdint>

#include "ioring/listener.hpp"
#include "socket/timer_wheel.hpp"

namespace ioring::detail {

struct listener_slot {
    using milliseconds = std::chrono::milliseconds;

    // How long no accept is tried after one that found no descriptor or memory: it would fail at
    // once again. Doubled each time that it is for nothing.
    static constexpr milliseconds backoff_first{10};
    static constexpr milliseconds backoff_max{1000};
    // In flight at a time where there is no multishot accept, or little room for connections.
    static constexpr std::uint32_t singles_max = 16;
    // With fewer free places than this, each accept takes one connection, so that none is taken
    // for which there is no place.
    static constexpr std::uint32_t headroom = 32;

    listener socket;
    std::uint32_t generation = 1;
    std::uint32_t in_flight = 0;
    bool open = false;
    bool multishot = false;  // What is in flight.
    bool cancelled = false;  // What is in flight is being ended.
    bool paused = false;     // By want of a descriptor, until its timer.
    bool held = false;       // By overload, as long as that lasts.
    bool shedding = false;   // A connection is being turned away with the reserve descriptor.
    bool pause_untold = false;
    int error = 0;  // Of the pause.
    milliseconds backoff = backoff_first;
    timer_key timer{};
};

}  // namespace ioring::detail
