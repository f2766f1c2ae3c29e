// SPDX-License-Identifier: MIT
// worlds_windows.cpp - on Winsock, and with the system's own Registered I/O where there is one.
#include "winsock_world_windows.hpp"

namespace ioring::rio_tests {

// The one in memory is the same everywhere; it is tried where there are sanitizers.
std::vector<world_kind> worlds() {
    std::vector<world_kind> all{{"winsock", [](std::string&) { return make_winsock_world(); }}};
    std::string why;
    if (make_real_world(why) != nullptr) {
        all.push_back({"windows", [](std::string& reason) { return make_real_world(reason); }});
    }
    return all;
}

}  // namespace ioring::rio_tests
