// SPDX-License-Identifier: MIT
// main.cpp - ioring-load, a load generator that verifies every byte an echo server sends back.
#include <cstdio>
#include <new>
#include <random>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/core.h>

#include "common/affinity.hpp"
#include "common/command_line.hpp"
#include "common/descriptors.hpp"
#include "common/stop_signals.hpp"
#include "common/terminal.hpp"
#include "generator.hpp"
#include "interactive.hpp"
#include "ioring/ring.hpp"
#include "options.hpp"
#include "report.hpp"

namespace {

using namespace ioring::tools;

std::error_code make_ring(const load::settings& asked, ioring::ring& out, std::string& why) {
    const ioring::ring_options options{
        .sq_entries = 4096,
        .connections_max = static_cast<std::uint32_t>(asked.connections),
        .spin = asked.spin,
        .backend = asked.backend,
    };
    return ioring::ring::create(options, out, &why);
}

int run_load(const load::settings& asked, ioring::ring ring,
             std::vector<ioring::endpoint> addresses) {
    stop_signals stop;  // First: who has seen the first line may send a signal.
    const bool talks = !asked.json && !asked.quiet;
    if (talks) {
        fmt::print("{}\n", load::headline(asked));
        std::fflush(stdout);
    }
    status_line progress{stderr, talks};
    load::generator generator{asked, std::move(ring), std::move(addresses), stop, progress};
    const load::results found = generator.run();
    fmt::print("{}",
               asked.json ? load::json_report(asked, found) : load::text_report(asked, found));
    const std::string complaints = load::complaints(asked, found);
    for (std::size_t at = 0; at < complaints.size();) {
        const std::size_t end = complaints.find('\n', at);
        complain(load::program_name, complaints.substr(at, end - at));
        at = end + 1;
    }
    if (std::fflush(stdout) != 0) return complain(load::program_name, "cannot write the report");
    return found.passed() ? exit_done : exit_failed;
}

int run(load::settings& asked) {
    std::string why;
    std::vector<ioring::endpoint> addresses;
    ioring::ring ring;
    if (asked.cpu && !pin_to_cpu(*asked.cpu, why)) return complain(load::program_name, why);
    if (!ensure_descriptors(asked.connections, why)) return complain(load::program_name, why);
    if (const auto error = find_endpoints(asked.server, addresses, why)) {
        const bool misspelt = error == std::errc::invalid_argument;
        return complain(load::program_name, why, misspelt ? exit_usage : exit_failed);
    }
    if (make_ring(asked, ring, why)) return complain(load::program_name, why);
    if (asked.open_loop()) ask_for_precise_waits();
    if (!asked.seed) {
        std::random_device random;
        asked.seed = (std::uint64_t{random()} << 32U) | random();
    }
    if (asked.interactive) return load::interact(asked, std::move(ring), addresses);
    return run_load(asked, std::move(ring), std::move(addresses));
}

}  // namespace

int main(int argc, char** argv) {
    load::settings asked;
    if (const auto status = load::read_options(argc, argv, asked)) return *status;
    if (asked.interactive) asked.connections = 1;
    try {
        return run(asked);
    } catch (const std::bad_alloc&) {
        return complain(load::program_name,
                        "not enough memory: ask for fewer connections or less depth");
    } catch (const std::exception& error) {
        return complain(load::program_name, error.what());
    }
}
