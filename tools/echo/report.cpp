// SPDX-License-Identifier: MIT
// report.cpp - figures per message, as text and as JSON.
#include "echo/report.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "common/error_text.hpp"
#include "common/number_text.hpp"

namespace echo {
namespace {

using ioring::tools::bytes_text;
using ioring::tools::with_commas;
using seconds = std::chrono::duration<double>;

double ratio(double of, double to) noexcept { return to == 0 ? 0 : of / to; }

double ratio(std::uint64_t of, std::uint64_t to) noexcept {
    return ratio(static_cast<double>(of), static_cast<double>(to));
}

double cpu_us_per_message(const sample& what) noexcept {
    return ratio(static_cast<double>(what.used.cpu().count()),
                 static_cast<double>(what.counted.messages));
}

double enters_per_message(const sample& what) noexcept {
    return ratio(what.ring.enters, what.counted.messages);
}

double completions_per_enter(const sample& what) noexcept {
    return ratio(what.ring.completed, what.ring.enters);
}

}  // namespace

void add(sample& all, const sample& other) noexcept {
    counters& to = all.counted;
    const counters& from = other.counted;
    to.messages += from.messages;
    to.bytes_received += from.bytes_received;
    to.bytes_sent += from.bytes_sent;
    to.bytes_discarded += from.bytes_discarded;
    to.turns += from.turns;
    to.accepted += from.accepted;
    to.refused += from.refused;
    if (to.unbuffered == 0) to.unbuffered_error = from.unbuffered_error;
    to.unbuffered += from.unbuffered;
    to.resets += from.resets;
    to.cut_off += from.cut_off;
    to.unfinished += from.unfinished;
    to.accept_pauses += from.accept_pauses;
    to.stale += from.stale;
    to.connections += from.connections;
    to.connections_peak += from.connections_peak;
    all.ring.enters += other.ring.enters;
    all.ring.submitted += other.ring.submitted;
    all.ring.completed += other.ring.completed;
    all.ring.posted += other.ring.posted;
    all.ring.wakes += other.ring.wakes;
    all.ring.overflows += other.ring.overflows;
    all.ring.short_transfers += other.ring.short_transfers;
}

sample difference(const sample& now, const sample& before) noexcept {
    sample result = now;
    result.counted.messages -= before.counted.messages;
    result.counted.bytes_received -= before.counted.bytes_received;
    result.counted.bytes_sent -= before.counted.bytes_sent;
    result.counted.turns -= before.counted.turns;
    result.ring.enters -= before.ring.enters;
    result.ring.submitted -= before.ring.submitted;
    result.ring.completed -= before.ring.completed;
    result.ring.wakes -= before.ring.wakes;
    result.ring.overflows -= before.ring.overflows;
    result.ring.short_transfers -= before.ring.short_transfers;
    result.used = now.used - before.used;
    return result;
}

std::string statistics_line(const sample& now, const sample& before,
                            std::chrono::steady_clock::time_point start) {
    const sample since = difference(now, before);
    const double passed = seconds{now.when - before.when}.count();
    return fmt::format(
        "{:.0f} s  {} connections  {} messages/s  {}/s  {:.2f} us CPU and {:.3f} enters per "
        "message",
        seconds{now.when - start}.count(), with_commas(std::uint64_t{now.counted.connections}),
        with_commas(ratio(static_cast<double>(since.counted.messages), passed)),
        bytes_text(static_cast<std::uint64_t>(
            ratio(static_cast<double>(since.counted.bytes_received), passed))),
        cpu_us_per_message(since), enters_per_message(since));
}

std::string report_text(const report& what) {
    const counters& counted = what.total.counted;
    const ioring::ring_counters& ring = what.serving.ring;
    const ioring::tools::usage& used = what.total.used;
    std::string text = fmt::format(
        "{} on {} for {:.1f} s\n"
        "connections: {} accepted, {} at the peak, {} refused, {} reset, {} cut off by the stop\n"
        "messages:    {} received ({}), {}/s, {} short transfers\n"
        "syscalls:    {:.3f} enters per message, {:.1f} completions per enter, {} enters in {} "
        "turns\n"
        "cpu:         {:.2f} us per message ({:.2f} s user, {:.2f} s system)\n"
        "buffers:     {}\n",
        what.strategy, what.backend, what.seconds.count(), with_commas(counted.accepted),
        with_commas(std::uint64_t{counted.connections_peak}), with_commas(counted.refused),
        with_commas(counted.resets), with_commas(counted.cut_off), with_commas(counted.messages),
        bytes_text(counted.bytes_received),
        with_commas(ratio(static_cast<double>(counted.messages), what.seconds.count())),
        with_commas(what.total.ring.short_transfers), enters_per_message(what.serving),
        completions_per_enter(what.serving), with_commas(ring.enters),
        with_commas(what.serving.counted.turns), cpu_us_per_message(what.total),
        seconds{used.user}.count(), seconds{used.system}.count(), what.buffers);
    if (what.accepted_by_thread.size() > 1) {
        text += fmt::format("threads:     {}, which accepted {}\n", what.accepted_by_thread.size(),
                            fmt::join(what.accepted_by_thread, ", "));
    }
    if (counted.unbuffered != 0) {
        text += fmt::format("refused:     {} connections for want of a buffer: {}\n",
                            with_commas(counted.unbuffered),
                            ioring::tools::error_text(counted.unbuffered_error));
    }
    if (counted.accept_pauses != 0) {
        text += fmt::format("accepting:   paused {} times for want of descriptors or memory\n",
                            with_commas(counted.accept_pauses));
    }
    if (counted.unfinished != 0) {
        text += fmt::format("BUG: {} connections did not end\n", counted.unfinished);
    }
    if (counted.stale != 0) text += fmt::format("BUG: {} stale completions\n", counted.stale);
    return text;
}

std::string report_json(const report& what) {
    const counters& counted = what.total.counted;
    const ioring::ring_counters& ring = what.serving.ring;
    const ioring::tools::usage& used = what.total.used;
    return nlohmann::ordered_json{
        {"strategy", what.strategy},
        {"backend", what.backend},
        {"seconds", what.seconds.count()},
        {"threads", what.accepted_by_thread.size()},
        {"connections_accepted_by_thread", what.accepted_by_thread},
        {"connections_accepted", counted.accepted},
        {"connections_peak", counted.connections_peak},
        {"connections_refused", counted.refused},
        {"connections_unbuffered", counted.unbuffered},
        {"connections_reset", counted.resets},
        {"connections_cut_off", counted.cut_off},
        {"connections_unfinished", counted.unfinished},
        {"accept_pauses", counted.accept_pauses},
        {"messages", counted.messages},
        {"bytes_received", counted.bytes_received},
        {"bytes_sent", counted.bytes_sent},
        {"bytes_discarded", counted.bytes_discarded},
        {"turns", what.serving.counted.turns},
        {"enters", ring.enters},
        {"enters_in_all", what.total.ring.enters},
        {"wakes", ring.wakes},
        {"submitted", ring.submitted},
        {"completions", ring.completed},
        {"overflows", what.total.ring.overflows},
        {"short_transfers", what.total.ring.short_transfers},
        {"stale_completions", counted.stale},
        {"enters_per_message", enters_per_message(what.serving)},
        {"completions_per_enter", completions_per_enter(what.serving)},
        {"cpu_user_s", seconds{used.user}.count()},
        {"cpu_system_s", seconds{used.system}.count()},
        {"cpu_us_per_message", cpu_us_per_message(what.total)},
        {"memory_peak_bytes", used.memory_peak_bytes},
        {"buffers", what.buffers},
    }
        .dump();
}

}  // namespace echo
