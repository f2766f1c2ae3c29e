// SPDX-License-Identifier: MIT
// ours.hpp - what our servers for the benchmarks share: options, the stop, the lines they print.
#pragma once

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "ioring/ioring.hpp"

namespace ours {

struct options {
    std::string address = "127.0.0.1:0";
    std::string upstream = "127.0.0.1:0";
    std::string backend = "automatic";
};

inline options parse_options(int argc, char** argv) {
    options parsed;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view name = argv[i];
        const std::string value = argv[i + 1];
        if (name == "--port") {
            parsed.address = "127.0.0.1:" + value;
        } else if (name == "--upstream") {
            parsed.upstream = "127.0.0.1:" + value;
        } else if (name == "--backend") {
            parsed.backend = value;
        } else if (name != "--host") {
            std::fprintf(stderr, "unknown option %s\n", argv[i]);
            std::exit(2);
        }
    }
    return parsed;
}

inline volatile std::sig_atomic_t stopping = 0;
inline ioring::ring* ring_to_wake = nullptr;

// SIGTERM and SIGINT end the loop of `ring` from now on.
inline void stop_by_signals(ioring::ring& ring) {
    ring_to_wake = &ring;
    for (const int number : {SIGTERM, SIGINT}) {
        std::signal(number, [](int) {
            stopping = 1;
            ring_to_wake->wake();
        });
    }
}

inline void announce(const ioring::endpoint& address, const char* name) {
    std::printf("listening on %s (%s)\n", to_string(address).c_str(), name);
    std::fflush(stdout);
}

inline void report(const ioring::ring& ring, const ioring::socket_manager& sockets) {
    const ioring::manager_counters& counted = sockets.counters();
    std::printf("{\"enters\": %llu, \"turns\": %llu, \"messages\": %llu, \"bytes\": %llu}\n",
                static_cast<unsigned long long>(ring.counters().enters),
                static_cast<unsigned long long>(counted.turns),
                static_cast<unsigned long long>(counted.messages),
                static_cast<unsigned long long>(counted.bytes_received));
    std::fflush(stdout);
}

}  // namespace ours
