// SPDX-License-Identifier: MIT
// world.hpp - what the parts of a running load share.
#pragma once

#include <cstdint>
#include <vector>

#include "connection.hpp"
#include "ioring/ring.hpp"
#include "pattern.hpp"
#include "results.hpp"
#include "settings.hpp"

namespace load {

struct world {
    const settings& asked;
    ioring::ring& ring;
    pattern content;
    std::vector<connection> peers;
    results found;
};

}  // namespace load
