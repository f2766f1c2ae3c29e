// SPDX-License-Identifier: MIT
// poller_poll.hpp - poll(2) as a poller: on every POSIX system, for few descriptors.
//
// Each wait costs as much as there are armed descriptors. poll() knows levels only, so `edge` is
// made of them: a condition that was told is left out until it has been seen gone, which every wait
// looks for first. New bytes on a descriptor that was never read empty are therefore no new event.
#pragma once

#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <system_error>

#include "backend/emulation/growing_array.hpp"
#include "backend/readiness/poller.hpp"
#include "platform/wake_handle.hpp"

namespace ioring::backends::readiness {

class poll_poller {
public:
    static constexpr const char* name = "poll";
    static constexpr bool hears_changes = false;

    [[nodiscard]] std::error_code set_up(std::string& why);
    [[nodiscard]] bool reserve(std::int32_t fd) noexcept;
    void arm(std::int32_t fd, std::uint8_t directions, arming how) noexcept;
    void forget(std::int32_t fd) noexcept;
    [[nodiscard]] int wait(std::span<ready_event> events, std::int64_t timeout_ns) noexcept;
    void wake() noexcept { wake_.signal(); }
    [[nodiscard]] int native() const noexcept { return wake_.native(); }
    void abandon() noexcept { wake_.close(); }

private:
    // What is armed on the descriptor of one place of polled_.
    struct interest {
        std::uint8_t once;
        std::uint8_t edge;
        std::uint8_t told;  // Of `edge`, those that have not been seen gone since their event.
        bool hung;          // An error or hang-up was told: nothing new comes.
    };
    static constexpr std::uint8_t errors_only = 1U << 7U;  // Armed for no direction at all.

    [[nodiscard]] bool has_place(std::int32_t fd) const noexcept;
    void leave(std::size_t place) noexcept;
    void look_for_gone() noexcept;
    void prepare(std::size_t place) noexcept;
    [[nodiscard]] int collect(std::span<ready_event> events) noexcept;

    platform::wake_handle wake_;
    // Dense: [0, count_). The place 0 is the wake handle's.
    emulation::growing_array<pollfd> polled_;
    emulation::growing_array<interest> interests_;
    std::size_t count_ = 0;
    emulation::growing_array<std::uint32_t> places_;  // Of each descriptor; 0: none.
    std::size_t first_ = 1;  // Where the next wait begins to report, so that all get their turn.
    std::size_t edges_told_ = 0;  // Places with something told.
};

static_assert(poller<poll_poller>);

}  // namespace ioring::backends::readiness
