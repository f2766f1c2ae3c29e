// SPDX-License-Identifier: MIT
// backends.hpp - what each backend of this build says on this machine.
//
// For tools and for the logs of programs: ring::create() chooses by itself, and backend_info()
// tells what it chose and why. backend_names() (ring.hpp) lists the names alone.
#pragma once

#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "ioring/probe.hpp"

namespace ioring {

// What one backend says.
struct backend_report {
    std::string_view name;   // Static.
    bool automatic = false;  // Tried when the program names none.
    std::error_code error;   // Why no ring of it can be made now; none when one can.
    // One sentence: what was refused and, after "; ", what can be done; or what was tried.
    std::string reason;
    std::string description;  // How a ring of it is set up.
    probe_result probe;       // Of that ring; nothing where there is none.
};

// Tries them all, each on a small ring that completes a nop and is thrown away: some milliseconds.
// In the order of backend_names(), which is that of the automatic choice. Any thread.
[[nodiscard]] std::vector<backend_report> examine_backends();

}  // namespace ioring
