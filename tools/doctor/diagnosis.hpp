// SPDX-License-Identifier: MIT
// diagnosis.hpp - what was found, all of it, before anybody words it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "doctor/fit.hpp"
#include "doctor/machine.hpp"
#include "doctor/settings.hpp"
#include "ioring/backends.hpp"
#include "ioring/probe.hpp"

namespace doctor {

inline constexpr int exit_does_not_fit = 3;

// The ring that a program with these settings would get.
struct choice {
    bool made = false;
    std::string backend;
    std::string reason;       // Why this backend; why none where none was made.
    std::string description;  // How it was set up.
    ioring::probe_result probe;
};

struct diagnosis {
    settings asked;
    machine found;
    std::vector<ioring::backend_report> backends;
    choice chosen;
    std::vector<price> prices;  // The limit that binds first at the front.
    // What the strategy needs of the backend and does not get; nullopt when all is there.
    std::optional<ioring::feature> missing;

    // That fit; 0 where something is missing.
    [[nodiscard]] std::uint64_t connections() const noexcept;
    [[nodiscard]] bool fits() const noexcept;
    // To exit with.
    [[nodiscard]] int status() const noexcept;
};

// Tries every backend, then makes a ring as `asked` says.
[[nodiscard]] diagnosis diagnose(const settings& asked);

}  // namespace doctor
