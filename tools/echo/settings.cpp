// SPDX-License-Identifier: MIT
// settings.cpp - the command line of ioring-echo.
#include "echo/settings.hpp"

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "common/command_line.hpp"
#include "common/strategy.hpp"

namespace echo {
namespace {

namespace tools = ioring::tools;

constexpr std::uint64_t spin_max_us = 1'000'000;

void add_mode(CLI::App& app, settings& out) {
    const auto take = [&out](const std::string& text) {
        if (text != "raw" && text != "managed") {
            throw CLI::ValidationError("--mode",
                                       fmt::format("`{}` is no mode: use raw or managed", text));
        }
        out.mode = text == "managed" ? mode_kind::managed : mode_kind::raw;
    };
    app.add_option_function<std::string>(
           "--mode", take,
           "raw: the ring itself, by a strategy; managed: a socket_manager, which forwards")
        ->type_name("NAME")
        ->default_str("raw");
}

// What CLI11 cannot know of how options go together.
void check(const settings& wanted) {
    if (wanted.overlap && wanted.strategy != strategy_kind::own_ring) {
        throw CLI::ValidationError("--overlap", "is a manner of --strategy own-ring only");
    }
    if (wanted.copy && wanted.mode != mode_kind::managed) {
        throw CLI::ValidationError("--copy", "is a manner of --mode managed only");
    }
    if (wanted.threads > 1 && !wanted.where.unix_path.empty()) {
        throw CLI::ValidationError("--threads",
                                   "share a port; a local socket has one listener only");
    }
    if (wanted.backend == "null") {
        throw CLI::ValidationError("--backend", null_refusal);
    }
}

}  // namespace

std::optional<int> read_settings(int argc, const char* const* argv, settings& out) {
    CLI::App app{"A TCP echo server on an ioring: sends back what it receives", program};
    std::uint64_t connections = 0;
    std::uint64_t buffer_bytes = out.buffer_bytes;
    std::uint64_t spin_us = 0;
    std::uint64_t threads = 1;
    bool late = false;

    tools::add_target(app, out.where, /*port_min=*/0);
    app.add_flag("--dual-stack", out.dual_stack, "For an IPv6 address: accept IPv4 too");
    tools::add_backend(app, out.backend);
    add_mode(app, out);
    tools::add_strategy(
        app, out.strategy,
        "own-ring: a mirrored buffer for each connection; own-ring-multishot: the same, filled by "
        "one multishot receive; shared-pool: all connections receive into shared chunks");
    app.add_flag("--copy", out.copy, "managed: write what was read, instead of forwarding it");
    auto* const overlap = app.add_flag("--overlap", out.overlap, "own-ring: receive while sending");
    app.add_flag("--late", late, "own-ring: receive after sending (the default)")
        ->excludes(overlap);
    tools::add_count(app, "-c,--connections", connections, {1, settings::connections_max},
                     fmt::format("Connections at a time of each thread; more are closed at once "
                                 "(default {}, or what the descriptor limit allows)",
                                 settings::connections_default));
    tools::add_count(app, "-t,--threads", threads, {1, settings::threads_max},
                     "Threads, each with a ring and a listener of its own (default 1)");
    tools::add_buffer_size(app, buffer_bytes, "Of a connection's buffer or a shared chunk");
    tools::add_cpu(app, out.cpu);
    tools::add_duration(app, "--duration", out.duration, std::chrono::nanoseconds{1},
                        "Stop by itself after this time");
    tools::add_duration(app, "--drain", out.drain, std::chrono::nanoseconds{0},
                        "How long a stop waits for clients to take what is theirs (default 2)");
    tools::add_count(app, "--spin", spin_us, {0, spin_max_us},
                     "Microseconds to look for completions before sleeping (default 0)");
    app.add_flag("--stats", out.stats, "A line of statistics every second");
    app.add_flag("--quiet", out.quiet, "No report at the end (but --json's), no statistics");
    app.add_flag("--json", out.json, "The report at the end as one JSON object");
    app.final_callback([&out, &app, &threads] {
        out.threads = static_cast<std::uint32_t>(threads);
        check(out);
        if (out.mode == mode_kind::managed && app.count("--strategy") != 0) {
            throw CLI::ValidationError("--strategy", "is for --mode raw only");
        }
    });

    if (const auto status = tools::parse(app, argc, argv)) return status;
    if (connections != 0) out.connections = static_cast<std::uint32_t>(connections);
    out.buffer_bytes = static_cast<std::uint32_t>(buffer_bytes);
    out.spin = std::chrono::microseconds{spin_us};
    return std::nullopt;
}

}  // namespace echo
