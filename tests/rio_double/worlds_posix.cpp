// SPDX-License-Identifier: MIT
// worlds_posix.cpp - where there is no Winsock: the world in memory.
#include "world.hpp"

namespace ioring::rio_tests {

std::vector<world_kind> worlds() {
    return {{"memory", [](std::string&) { return make_memory_world(); }}};
}

}  // namespace ioring::rio_tests
