// SPDX-License-Identifier: MIT
// options.cpp - the command line of ioring-load.
#include "options.hpp"

#include <string>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "common/command_line.hpp"
#include "common/number_text.hpp"
#include "ioring/ring_options.hpp"

namespace load {
namespace {

using namespace ioring::tools;
using std::chrono::nanoseconds;

void add_load(CLI::App& app, settings& out) {
    add_count(app, "-c,--connections", out.connections, {1, settings::connections_max},
              "Connections at a time")
        ->default_str("50");
    add_size(app, "-s,--size", out.size_bytes, {1, settings::size_max}, "Bytes of a message");
    add_count(app, "-d,--depth", out.depth, {1, settings::depth_max},
              "Messages that a connection keeps in flight, with --rate at most")
        ->default_str("1");
    auto* const duration =
        add_duration(app, "-t,--duration", out.duration, nanoseconds{1'000'000}, "How long to load")
            ->default_str("10s");
    add_count(app, "-n,--messages", out.messages, {1}, "Load until so many were echoed instead")
        ->excludes(duration);
    add_decimal(app, "-r,--rate", out.rate_per_second,
                "Open loop: so many messages a second over all connections, evenly spaced");
    add_duration(app, "--warmup", out.warmup, nanoseconds{0}, "Load for so long before counting")
        ->default_str("0");
    add_decimal(app, "--connect-rate", out.connect_rate_per_second,
                "Connect so many a second (as fast as it goes)");
    add_duration(app, "--timeout", out.timeout, nanoseconds{1'000'000},
                 "Give up a connection without progress for so long")
        ->default_str("10s");
}

void add_machine(CLI::App& app, settings& out) {
    add_backend(app, out.backend);
    add_cpu(app, out.cpu);
    add_duration(app, "--spin", out.spin, nanoseconds{0},
                 "Look for completions for so long before each sleep")
        ->default_str("0");
    app.add_flag("--own-buffers", out.own_buffers,
                 "Receive one at a time into a buffer for each connection, as where the system has "
                 "nothing better");
    const auto take_seed = [&out](const std::string& text) {
        std::uint64_t value = 0;
        std::string why;
        if (!parse_count(text, value, &why)) throw CLI::ValidationError("--seed", why);
        out.seed = value;
    };
    app.add_option_function<std::string>("--seed", take_seed, "Of the content (a random one)")
        ->type_name("N");
}

// What no option alone can know. Empty when all is well.
std::string find_contradiction(const settings& asked) {
    if (asked.connections * asked.depth > settings::in_flight_max) {
        return fmt::format("{} connections x depth {} are more than {} messages in flight",
                           with_commas(asked.connections), with_commas(asked.depth),
                           with_commas(settings::in_flight_max));
    }
    if (asked.rate_per_second > settings::rate_max) {
        return fmt::format("--rate: at most {} messages a second", with_commas(settings::rate_max));
    }
    if (asked.spin > ioring::ring_options::spin_max) {
        return fmt::format("--spin: at most {}", duration_text(ioring::ring_options::spin_max));
    }
    return {};
}

}  // namespace

std::optional<int> read_options(int argc, const char* const* argv, settings& out) {
    CLI::App app{"Loads an echo server and verifies every byte that comes back.", program_name};
    add_target(app, out.server, /*port_min=*/1);
    add_load(app, out);
    add_machine(app, out);
    auto* const json = app.add_flag("--json", out.json, "Print one JSON object at the end");
    app.add_flag("--marks", out.marks,
                 "Print `measuring` when the warm-up is over and `measured` after the last echo");
    app.add_flag("-q,--quiet", out.quiet, "Print the result only, no progress");
    auto* const interactive = app.add_flag(
        "-i,--interactive", out.interactive,
        "One connection: each line typed is sent, its echo and round-trip time are printed");
    interactive->excludes(json);
    for (const char* const name : {"--connections", "--size", "--depth", "--duration", "--messages",
                                   "--rate", "--warmup", "--connect-rate", "--seed"}) {
        interactive->excludes(app.get_option(name));
    }
    if (const auto status = parse(app, argc, argv)) return status;
    if (const std::string problem = find_contradiction(out); !problem.empty()) {
        return complain(program_name, problem + " (--help lists the options)", exit_usage);
    }
    return std::nullopt;
}

}  // namespace load
