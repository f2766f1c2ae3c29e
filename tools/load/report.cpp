// SPDX-License-Identifier: MIT
// report.cpp - a run's results for people and for programs.
#include "report.hpp"

#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/number_text.hpp"
#include "ioring/version.hpp"

namespace load {
namespace {

using ioring::tools::bytes_text;
using ioring::tools::duration_text;
using ioring::tools::with_commas;
using json = nlohmann::ordered_json;

struct percentile {
    double percent;
    std::string_view label;  // As people read it,
    std::string_view key;    // as programs do.
};
constexpr std::array<percentile, 5> percentiles{{{50, "p50", "p50"},
                                                 {90, "p90", "p90"},
                                                 {99, "p99", "p99"},
                                                 {99.9, "p99.9", "p99_9"},
                                                 {99.99, "p99.99", "p99_99"}}};
constexpr std::array<std::pair<failure, std::string_view>, 4> error_kinds{
    {{failure::refused, "refused"},
     {failure::timed_out, "timed out"},
     {failure::closed_early, "closed early"},
     {failure::broken, "broken"}}};

std::string latency_text(const histogram& times) {
    std::string text;
    for (const percentile& each : percentiles) {
        const auto ns = static_cast<std::int64_t>(times.percentile_ns(each.percent));
        text += fmt::format("{} {}  ", each.label, duration_text(std::chrono::nanoseconds{ns}));
    }
    const auto max_ns = static_cast<std::int64_t>(times.max_ns());
    return text + "max " + duration_text(std::chrono::nanoseconds{max_ns});
}

double rounded(double value, double steps) { return std::round(value * steps) / steps; }

json latency_json(const histogram& times) {
    json out = json::object();
    for (const percentile& each : percentiles) {
        out[std::string{each.key}] =
            rounded(static_cast<double>(times.percentile_ns(each.percent)) / 1e3, 1e3);
    }
    out["max"] = rounded(static_cast<double>(times.max_ns()) / 1e3, 1e3);
    return out;
}

std::string errors_text(const results& found) {
    std::string text =
        fmt::format("{} error{}", with_commas(found.errors()), found.errors() == 1 ? "" : "s");
    std::string kinds;
    for (const auto& [kind, name] : error_kinds) {
        if (found.count(kind) == 0) continue;
        kinds +=
            fmt::format("{}{} {}", kinds.empty() ? "" : ", ", with_commas(found.count(kind)), name);
    }
    if (!kinds.empty()) text += " (" + kinds + ")";
    if (const std::uint64_t mismatches = found.count(failure::mismatch); mismatches > 0) {
        text +=
            fmt::format(", {} MISMATCH{}", with_commas(mismatches), mismatches == 1 ? "" : "ES");
    }
    return text;
}

double per_message(const results& found, std::uint64_t count) {
    return found.messages > 0 ? static_cast<double>(count) / static_cast<double>(found.messages)
                              : 0.0;
}

}  // namespace

std::string headline(const settings& asked) {
    const std::string size = bytes_text(asked.size_bytes);
    std::string text = fmt::format("{} connection{} x {}, ", with_commas(asked.connections),
                                   asked.connections == 1 ? "" : "s", size);
    if (asked.open_loop()) {
        text += fmt::format("depth up to {}, open loop at {}/s", with_commas(asked.depth),
                            with_commas(asked.rate_per_second));
    } else {
        text += fmt::format("depth {}, closed loop", with_commas(asked.depth));
    }
    return text + ", every byte verified";
}

std::string text_report(const settings& asked, const results& found) {
    if (found.messages == 0)
        return fmt::format("  no message was echoed   {}\n", errors_text(found));
    std::string text = fmt::format("  {} messages  {}/s  {}   {}\n", with_commas(found.messages),
                                   with_commas(found.messages_per_second()),
                                   latency_text(found.latency), errors_text(found));
    if (asked.open_loop()) {
        text += "  latency is counted from the time when a message was due; from its sending: " +
                latency_text(found.service) + "\n";
    }
    return text;
}

std::string json_report(const settings& asked, const results& found) {
    json out;
    out["messages"] = found.messages;
    out["bytes"] = found.messages * asked.size_bytes;
    out["errors"] = found.errors();
    out["mismatches"] = found.count(failure::mismatch);
    out["messages_per_second"] = rounded(found.messages_per_second(), 10);
    out["latency_us"] = latency_json(found.latency);
    if (asked.open_loop()) out["service_latency_us"] = latency_json(found.service);
    out["seconds"] = rounded(found.seconds, 1e6);
    out["connections"] = asked.connections;
    out["connected"] = found.connected;
    out["size"] = asked.size_bytes;
    out["depth"] = asked.depth;
    out["mode"] = asked.open_loop() ? "open" : "closed";
    out["rate"] = asked.open_loop() ? json(asked.rate_per_second) : json(nullptr);
    out["unsent"] = found.unsent;
    out["refused"] = found.count(failure::refused);
    out["timed_out"] = found.count(failure::timed_out);
    out["closed_early"] = found.count(failure::closed_early);
    out["broken"] = found.count(failure::broken);
    out["interrupted"] = found.interrupted;
    out["cpu_us_per_message"] = rounded(found.cpu_us_per_message(), 1e4);
    out["enters_per_message"] = rounded(per_message(found, found.enters), 1e6);
    out["enters"] = found.enters;
    out["turns"] = found.turns;
    out["warmup_seconds"] = std::chrono::duration<double>(asked.warmup).count();
    out["connect_seconds"] = rounded(found.connect_seconds, 1e6);
    out["backend"] = found.backend;
    out["receive"] = found.receive;
    out["seed"] = found.seed;
    out["version"] = ioring::version_string;
    return out.dump() + "\n";
}

std::string complaints(const settings& asked, const results& found) {
    std::string text;
    for (const std::string& sentence : found.sentences) text += sentence + "\n";
    if (const auto more = found.failures_total() - found.sentences.size(); more > 0) {
        text +=
            fmt::format("{} more connection{} failed\n", with_commas(more), more == 1 ? "" : "s");
    }
    // A few are always between two turns when the time is over.
    if (found.unsent > asked.connections && found.unsent > found.messages / 100) {
        text += fmt::format(
            "{} messages were due and not sent when the time was over: the rate "
            "was not reached\n",
            with_commas(found.unsent));
    }
    return text;
}

}  // namespace load
