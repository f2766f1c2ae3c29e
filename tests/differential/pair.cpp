// SPDX-License-Identifier: MIT
// pair.cpp - running a program twice, and shrinking it.
#include "differential/pair.hpp"

#include <algorithm>

#include "differential/queues.hpp"

namespace ioring::differential {
namespace {

constexpr std::uint32_t shrink_tries_max = 3000;
constexpr std::chrono::seconds shrink_time_max{20};
constexpr int runs_max = 3;  // Of a program that meets a race of the network's.

std::string text_of_world(const program& of) {
    std::string out = "  a submission queue of " + std::to_string(of.sq_entries) +
                      ", a completion queue of " + std::to_string(of.cq_entries) + "\n";
    constexpr std::array kinds{"TCP", "local", "local with a small send buffer"};
    std::size_t name = 0;
    for (const connection_kind each : of.connections) {
        out += "  s" + std::to_string(name) + " and s" + std::to_string(name + 1) + ": " +
               kinds[static_cast<std::size_t>(each)] + " connection\n";
        name += 2;
    }
    for (const listener_kind each : of.listeners) {
        out += "  s" + std::to_string(name++) + ": " + kinds[static_cast<std::size_t>(each)] +
               " listener\n";
    }
    out += "  s" + std::to_string(name) + ": an eventfd\n";
    for (std::size_t index = 0; index < of.groups.size(); ++index) {
        const group_plan& group = of.groups[index];
        out += "  group " + std::to_string(index) + ": " + std::to_string(group.buffers) +
               " buffers of " + std::to_string(group.buffer_bytes) + " bytes" +
               (group.incremental ? ", incremental" : "") +
               (group.shared ? ", refilled after each step" : "") + "\n";
    }
    return out;
}

}  // namespace

bool backend_pair::set_up(std::string_view one, std::string_view other, std::string& why) {
    one_ = one;
    other_ = other;
    constexpr backends::backend_options small{.sq_entries = 8, .cq_entries = 16};
    const auto first = set_up_by_name(one, small, why);
    if (first == nullptr) return false;
    const auto second = set_up_by_name(other, small, why);
    if (second == nullptr) return false;
    common_.opcodes = first->probe().opcodes & second->probe().opcodes;
    common_.features = first->probe().features & second->probe().features;
    return true;
}

trace backend_pair::run_one(const program& of, const run_options& options) {
    trace seen;
    for (int run = 0; run < runs_max; ++run) {
        seen = runner_.run(of, options);
        if (!seen.raced) break;
    }
    return seen;
}

std::optional<divergence> backend_pair::run(const program& of, coverage* counts) {
    last_one_ = run_one(of, {.backend = one_, .common = common_});
    last_other_ = run_one(of, {.backend = other_, .common = common_, .counts = counts});
    return compare(last_one_, last_other_);
}

std::string backend_pair::last_report() const {
    const auto found = compare(last_one_, last_other_);
    return found ? report(*found, last_one_, one_, last_other_, other_) : std::string{};
}

bool backend_pair::differs(const program& of) {
    if (tries_left_ == 0) return false;
    --tries_left_;
    if (std::chrono::steady_clock::now() > give_up_) tries_left_ = 0;
    return run(of).has_value();
}

program backend_pair::shrink(const program& from) {
    program smallest = from;
    tries_left_ = shrink_tries_max;
    give_up_ = std::chrono::steady_clock::now() + shrink_time_max;
    bool smaller = true;
    while (smaller && tries_left_ > 0) {
        smaller = false;
        for (std::size_t chunk = smallest.steps.size() / 2; chunk > 0; chunk /= 2) {
            smaller = drop_steps(smallest, chunk) || smaller;
        }
        smaller = simplify_steps(smallest) || smaller;
        smaller = simplify_world(smallest) || smaller;
    }
    return smallest;
}

bool backend_pair::drop_steps(program& from, std::size_t chunk) {
    bool dropped = false;
    for (std::size_t end = from.steps.size(); end > 0;) {
        const std::size_t begin = end > chunk ? end - chunk : 0;
        program less = from;
        less.steps.erase(less.steps.begin() + static_cast<std::ptrdiff_t>(begin),
                         less.steps.begin() + static_cast<std::ptrdiff_t>(end));
        if (differs(less)) {
            from = std::move(less);
            dropped = true;
        }
        end = std::min(begin, from.steps.size());
    }
    return dropped;
}

bool backend_pair::simplify_steps(program& from) {
    bool simpler = false;
    const auto attempt = [&](std::size_t index, auto change) {
        program less = from;
        if (!change(less.steps[index]) || !differs(less)) return;
        from = std::move(less);
        simpler = true;
    };
    for (std::size_t index = 0; index < from.steps.size(); ++index) {
        attempt(index,
                [](step& each) { return std::exchange(each.sqe_flags, std::uint8_t{0}) != 0; });
        attempt(index,
                [](step& each) { return std::exchange(each.ioprio, std::uint16_t{0}) != 0; });
        attempt(index, [](step& each) { return std::exchange(each.flags, 0U) != 0; });
        attempt(index, [](step& each) { return each.bytes > 8 && (each.bytes = 8) != 0; });
    }
    return simpler;
}

bool backend_pair::simplify_world(program& from) {
    bool simpler = false;
    const auto attempt = [&](auto change) {
        program less = from;
        if (!change(less) || !differs(less)) return;
        from = std::move(less);
        simpler = true;
    };
    const auto drop_last = [](auto& of) {
        if (of.empty()) return false;
        of.pop_back();
        return true;
    };
    attempt([&](program& less) { return drop_last(less.connections); });
    attempt([&](program& less) { return drop_last(less.listeners); });
    attempt([&](program& less) { return drop_last(less.groups); });
    attempt([](program& less) { return std::exchange(less.cq_entries, 256U) != 256; });
    return simpler;
}

void backend_pair::run_with_texts(const program& of) {
    last_one_ = runner_.run(of, {.backend = one_, .common = common_, .texts = true});
    last_other_ = runner_.run(of, {.backend = other_, .common = common_, .texts = true});
}

std::string backend_pair::explain(const program& of) {
    run_with_texts(of);
    const std::string difference = last_report();
    return difference.empty() ? difference : text_of_world(of) + difference;
}

std::string backend_pair::show(const program& of) {
    run_with_texts(of);
    const auto found = compare(last_one_, last_other_)
                           .value_or(divergence{last_one_.steps.size(), "no difference"});
    return text_of_world(of) + report(found, last_one_, one_, last_other_, other_);
}

}  // namespace ioring::differential
