// SPDX-License-Identifier: MIT
// interactive.hpp - a conversation with an echo server, line by line.
#pragma once

#include <vector>

#include "ioring/endpoint.hpp"
#include "ioring/ring.hpp"
#include "settings.hpp"

namespace load {

// Connects to the first of `addresses` that answers, sends each line of the standard input and
// prints its echo with the round-trip time, until `quit`, the end of the input or a signal. Prompts
// when a person types. Returns the status to end with; what went wrong has been said.
int interact(const settings& asked, ioring::ring ring,
             const std::vector<ioring::endpoint>& addresses);

}  // namespace load
