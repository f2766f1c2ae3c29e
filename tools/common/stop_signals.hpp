// SPDX-License-Identifier: MIT
// stop_signals.hpp - SIGINT and SIGTERM as a request to stop that also ends the rings' waits.
//
//     tools::stop_signals stop;          // from here on the two signals only count
//     stop.attach(ring);                 // and wake this ring
//     while (!stop.requested()) { ring.submit_and_wait(1); ... }
//
// One object a process, made and destroyed on one thread while no other installs handlers; each
// thread attaches and detaches rings of its own.
#pragma once

#include "ioring/ring.hpp"

namespace ioring::tools {

class stop_signals {
public:
    // Installs the handlers (without SA_RESTART: a blocking read returns with EINTR) and counts
    // from 0.
    stop_signals() noexcept;
    stop_signals(const stop_signals&) = delete;
    stop_signals& operator=(const stop_signals&) = delete;
    // Puts back the handlers that were there.
    ~stop_signals();

    // At a time; any number of threads.
    static constexpr int rings_max = 256;

    // Wakes `which` at each signal from now on. Detach before the ring is moved or destroyed: when
    // that returns, no handler uses it. Precondition: fewer than rings_max are attached.
    void attach(ring& which) noexcept;
    // Nothing happens when it is not attached.
    void detach(ring& which) noexcept;
    // As a signal would: counts, and wakes all rings.
    void request() noexcept;

    [[nodiscard]] bool requested() const noexcept { return count() > 0; }
    // How many times: the second time means that a polite end takes too long.
    [[nodiscard]] int count() const noexcept;
};

}  // namespace ioring::tools
