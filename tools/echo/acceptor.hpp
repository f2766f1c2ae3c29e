// SPDX-License-Identifier: MIT
// acceptor.hpp - keeps accepts in flight, and pauses when the system has no descriptor left.
#pragma once

#include <chrono>
#include <cstdint>

#include "ioring/fd.hpp"
#include "ioring/listener.hpp"
#include "ioring/ring.hpp"

namespace echo {

class acceptor {
public:
    // How long no accept is tried after one that failed for want of descriptors or memory, unless a
    // connection ends sooner. An accept fails at once then, so trying again at once would spin.
    static constexpr std::chrono::milliseconds pause{100};
    // In flight at a time where the backend has no multishot accept.
    static constexpr std::uint32_t single_accepts = 16;

    acceptor(ioring::ring& ring, ioring::listener& listener) noexcept;

    // Prepares the accepts that are missing, as far as the queue has room.
    void arm() noexcept;

    // The socket of an accept's completion, or an invalid one.
    [[nodiscard]] ioring::fd completed(const ioring::cqe& done) noexcept;

    [[nodiscard]] bool is_paused() const noexcept { return paused_; }
    // A descriptor was freed, or the pause is over.
    void resume() noexcept { paused_ = false; }
    // Stops listening; what is accepted already still completes.
    void stop() noexcept;
    // No accept is in flight.
    [[nodiscard]] bool is_idle() const noexcept { return in_flight_ == 0; }
    [[nodiscard]] std::uint64_t pauses() const noexcept { return pauses_; }

private:
    ioring::ring& ring_;
    ioring::listener& listener_;
    std::uint64_t pauses_ = 0;
    std::uint32_t in_flight_ = 0;
    std::uint32_t wanted_;
    bool multishot_;
    bool paused_ = false;
    bool stopped_ = false;
};

}  // namespace echo
