// SPDX-License-Identifier: MIT
// affinity.hpp - keeps the calling thread on one CPU.
#pragma once

#include <string>

namespace ioring::tools {

// Pins the calling thread to `cpu`, counted from 0. False with a sentence in `why` when there is no
// such CPU or this process may not use it.
[[nodiscard]] bool pin_to_cpu(int cpu, std::string& why);

// Asks the system to end timed waits as near to their time as it can, instead of up to 50 us later
// to save power. A wish: nothing happens where there is no such thing.
void ask_for_precise_waits() noexcept;

}  // namespace ioring::tools
