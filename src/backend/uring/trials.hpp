// SPDX-License-Identifier: MIT
// trials.hpp - one small experiment for each ability that no opcode number tells.
#pragma once

#include <span>

#include "backend/uring/trial_ring.hpp"
#include "ioring/probe.hpp"

namespace ioring::backends::uring {

struct feature_trial {
    feature which;
    // 1: works, 0: does not, -errno: could not be tried for want of descriptors or memory. May
    // leave operations in flight.
    int (*run)(trial_ring& trial) noexcept;
};

[[nodiscard]] std::span<const feature_trial> feature_trials() noexcept;

}  // namespace ioring::backends::uring
