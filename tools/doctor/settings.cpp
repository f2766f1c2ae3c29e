// SPDX-License-Identifier: MIT
// settings.cpp - the command line of ioring-doctor.
#include "doctor/settings.hpp"

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "common/command_line.hpp"
#include "common/strategy.hpp"
#include "ioring/ring_buffer.hpp"
#include "ioring/ring_options.hpp"

namespace doctor {
namespace {

namespace tools = ioring::tools;

// What CLI11 cannot know of how options go together.
void check(const settings& wanted) {
    const std::uint64_t page = ioring::ring_buffer::granularity();
    const bool mirrored = wanted.how.strategy != strategy_kind::shared_pool;
    if (mirrored && wanted.how.buffer_bytes % page != 0) {
        throw CLI::ValidationError(
            "--buffer-size", fmt::format("{} is no multiple of {}, which a mirrored buffer must be",
                                         wanted.how.buffer_bytes, page));
    }
}

}  // namespace

std::optional<int> read_settings(int argc, const char* const* argv, settings& out) {
    CLI::App app{
        "Says what this machine lets an ioring do, which backend would be chosen and why, and how "
        "many connections fit. Exit status: 0 a ring can be made (and the connections fit), 1 no "
        "backend works, 2 bad options, 3 the connections asked for do not fit",
        program};
    std::uint64_t connections = 0;
    tools::add_count(app, "-c,--connections", connections,
                     {1, ioring::ring_options::connections_max_max},
                     "Connections that should fit; without it, how many do");
    tools::add_buffer_size(app, out.how.buffer_bytes,
                           "Bytes of a connection's buffer, or of a shared chunk");
    tools::add_strategy(app, out.how.strategy,
                        "How the connections receive: own-ring, own-ring-multishot or "
                        "shared-pool, as in ioring-echo");
    tools::add_backend(app, out.backend);
    app.add_flag("--json", out.json, "One JSON object instead of text");
    app.final_callback([&out] { check(out); });
    if (const auto status = tools::parse(app, argc, argv)) return status;
    if (connections != 0) out.connections = connections;
    return std::nullopt;
}

}  // namespace doctor
