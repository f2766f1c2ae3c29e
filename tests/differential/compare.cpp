// SPDX-License-Identifier: MIT
// compare.cpp - sorting what has no order, then plain equality.
#include "differential/compare.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <tuple>

#include "ioring/sqe.hpp"

namespace ioring::differential {
namespace {

std::vector<event> events_of(const trace& of, std::size_t step) {
    const std::size_t first = of.steps[step].first_event;
    const std::size_t last =
        step + 1 < of.steps.size() ? of.steps[step + 1].first_event : of.events.size();
    std::vector<event> out{of.events.begin() + static_cast<std::ptrdiff_t>(first),
                           of.events.begin() + static_cast<std::ptrdiff_t>(last)};
    for (event& each : out) each.flags &= (1U << cqe_flag::buffer_shift) - 1;
    std::ranges::stable_sort(out, {}, &event::tag);
    // Equal operations: in any order.
    for (auto begin = out.begin(); begin != out.end();) {
        const auto end = std::find_if(begin, out.end(),
                                      [&](const event& each) { return each.tag != begin->tag; });
        if (begin->unordered || (end - 1)->unordered) {
            for (auto each = begin; each != end; ++each) each->unordered = true;
            std::sort(begin, end, [](const event& left, const event& right) {
                return std::tie(left.res, left.flags) < std::tie(right.res, right.flags);
            });
            std::uint64_t content = 0;
            for (auto each = begin; each != end; ++each) {
                content += each->content;
                each->content = 0;
            }
            begin->content = content;
        }
        begin = end;
    }
    return out;
}

std::string text_of(const event& each) {
    std::string out = each.tag == 0 ? "call" : "tag " + std::to_string(each.tag);
    out += ": " + std::to_string(each.res);
    if (each.res < 0 && each.res > -200) out += " (" + std::string{std::strerror(-each.res)} + ")";
    if ((each.flags & cqe_flag::more) != 0) out += " more";
    if ((each.flags & cqe_flag::buffer) != 0) {
        out += " buffer " + std::to_string(each.flags >> cqe_flag::buffer_shift);
    }
    if ((each.flags & cqe_flag::buffer_more) != 0) out += " buffer_more";
    if ((each.flags & cqe_flag::notification) != 0) out += " notification";
    if (each.content != 0) out += " content " + std::to_string(each.content % 100'000);
    return out;
}

void append_events(std::string& out, std::string_view name, const trace& of, std::size_t step) {
    const std::size_t first = of.steps[step].first_event;
    const std::size_t last =
        step + 1 < of.steps.size() ? of.steps[step + 1].first_event : of.events.size();
    for (std::size_t index = first; index < last; ++index) {
        out += "        " + std::string{name} + "  " + text_of(of.events[index]) + "\n";
    }
}

}  // namespace

std::optional<divergence> compare(const trace& one, const trace& other) {
    const std::size_t steps = std::min(one.steps.size(), other.steps.size());
    for (std::size_t step = 0; step < steps; ++step) {
        if (one.steps[step].signature != other.steps[step].signature) {
            return divergence{step, "the step became different operations: the state differs"};
        }
        if (events_of(one, step) != events_of(other, step)) {
            return divergence{step, "the completions differ"};
        }
    }
    if (one.anomalies != other.anomalies || !one.anomalies.empty()) {
        const auto& said = other.anomalies.empty() ? one.anomalies : other.anomalies;
        return divergence{steps - 1, said.front()};
    }
    if (one.steps.size() != other.steps.size()) return divergence{steps, "one has more steps"};
    return std::nullopt;
}

std::string report(const divergence& where, const trace& one, std::string_view one_name,
                   const trace& other, std::string_view other_name) {
    std::string out;
    const std::size_t last = std::min({where.step + 1, one.steps.size(), other.steps.size()});
    for (std::size_t step = 0; step < last; ++step) {
        const bool at = step == where.step;
        out += "    " +
               (step < one.texts.size() ? one.texts[step]
                                        : "step " + std::to_string(one.steps[step].id)) +
               "\n";
        if (at && step < one.texts.size() && one.texts[step] != other.texts[step]) {
            out += "    (" + std::string{other_name} + ") " + other.texts[step] + "\n";
        }
        append_events(out, one_name, one, step);
        if (at || events_of(one, step) != events_of(other, step)) {
            append_events(out, other_name, other, step);
        }
        if (at) out += "  ^ " + where.what + "\n";
    }
    for (const std::string& each : one.anomalies) {
        out += "  " + std::string{one_name} + ": " + each + "\n";
    }
    for (const std::string& each : other.anomalies) {
        out += "  " + std::string{other_name} + ": " + each + "\n";
    }
    return out;
}

}  // namespace ioring::differential
