// SPDX-License-Identifier: MIT
// main.cpp - a program of a user's on ioring_single.hpp: a connection through a socket_manager.
#include "ioring_single.hpp"

#include <chrono>
#include <cstdio>

bool is_implemented_elsewhere();

int main() {
    using namespace std::chrono_literals;
    ioring::ring ring = ioring::ring::create({.sq_entries = 64});
    ioring::buffer_pool pool{ring, {.slab_buffers = 4, .slabs_max = 1}};
    if (!pool.acquire()) return 1;

    ioring::socket_manager sockets{ring, {.sockets_max = 4}};
    const ioring::listener_id here = sockets.listen("127.0.0.1:0");
    ioring::socket* ours = nullptr;
    if (sockets.connect(sockets.local_endpoint(here), ours)) return 2;
    bool accepted = false;
    bool connected = false;
    for (int turns = 0; turns < 100 && !(accepted && connected); ++turns) {
        for (const ioring::socket_event& event : sockets.poll(1s)) {
            accepted = accepted || event.type == ioring::event_type::accepted;
            connected = connected || event.type == ioring::event_type::connected;
        }
    }
    std::printf("%s: %s\n", ring.backend_info().name, ring.backend_info().reason);
    return accepted && connected && is_implemented_elsewhere() ? 0 : 3;
}
