// SPDX-License-Identifier: MIT
// policy.cpp - reads the wishes and puts the backends into the order in which they are tried.
#include "backend/policy.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "platform/text.hpp"

namespace ioring::backends {
namespace {

constexpr std::string_view automatic = "automatic";
constexpr std::string_view blanks = " \t";
// Of this library on any system: a program may name those that its build for this one lacks.
constexpr std::array<std::string_view, 7> known_names{"uring", "epoll", "kqueue", "poll",
                                                      "iocp",  "rio",   "null"};

using names = std::vector<std::string_view>;

using platform::in_quotes;

std::error_code refuse(std::string& why, std::string sentence) {
    why = std::move(sentence);
    return std::make_error_code(std::errc::invalid_argument);
}

const backend_entry* find(std::span<const backend_entry> rows, std::string_view name) {
    const auto at = std::find_if(rows.begin(), rows.end(),
                                 [name](const backend_entry& row) { return row.name == name; });
    return at == rows.end() ? nullptr : &*at;
}

bool has(const names& list, std::string_view name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

std::string list_of(std::span<const backend_entry> rows, std::string_view last) {
    std::string text;
    for (const backend_entry& row : rows) text += std::string{row.name} + ", ";
    return text + "and " + std::string{last};
}

std::string_view trim(std::string_view text) {
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// "epoll, poll" as names; `field` is what the text is called in a sentence.
std::error_code read_names(std::span<const backend_entry> rows, std::string_view field,
                           std::string_view text, names& out, std::string& why) {
    if (trim(text).empty()) return {};
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t comma = std::min(text.find(',', at), text.size());
        const std::string_view name = trim(text.substr(at, comma - at));
        const bool known =
            find(rows, name) != nullptr ||
            std::find(known_names.begin(), known_names.end(), name) != known_names.end();
        if (!known) {
            return refuse(why, std::string{field} + " is " + in_quotes(text) + ", but " +
                                   in_quotes(name) +
                                   " is no backend; it is a list of names such as " +
                                   in_quotes("uring,epoll") + "; there are " +
                                   list_of(rows, "those of other systems, which are passed over"));
        }
        out.push_back(name);
        at = comma + 1;
    }
    return {};
}

// What the value of the environment variable asks for; at most one of them.
struct override_by_environment {
    std::string_view demand;
    names prefer;
    names forbid;
    bool present = false;
};

std::error_code read_environment(std::span<const backend_entry> rows, std::string_view text,
                                 override_by_environment& out, std::string& why) {
    const std::string_view value = trim(text);
    out.present = !value.empty();
    if (value.empty() || value == automatic) return {};
    const std::size_t colon = value.find(':');
    const bool bare = colon == std::string_view::npos;
    const std::string_view word = bare ? "require" : value.substr(0, colon);
    const std::string_view rest = bare ? value : value.substr(colon + 1);
    if (word == "prefer" && !trim(rest).empty()) {
        return read_names(rows, choice_variable, rest, out.prefer, why);
    }
    if (word == "forbid" && !trim(rest).empty()) {
        return read_names(rows, choice_variable, rest, out.forbid, why);
    }
    out.demand = trim(rest);
    if (word == "require" && find(rows, out.demand) != nullptr) return {};
    return refuse(why, std::string{"the environment variable "} + choice_variable + " is " +
                           in_quotes(text) + "; it may be " + list_of(rows, in_quotes(automatic)) +
                           ", or " + in_quotes("prefer:NAME,...") + " or " +
                           in_quotes("forbid:NAME,..."));
}

std::error_code check_demand(std::span<const backend_entry> rows, const wishes& program,
                             const names& forbid, std::string& why) {
    if (find(rows, program.backend) == nullptr) {
        return refuse(why, "there is no backend called " + in_quotes(program.backend) +
                               " in this build; there are: " + list_of(rows, in_quotes(automatic)));
    }
    if (has(forbid, program.backend)) {
        return refuse(why, "backend is " + in_quotes(program.backend) +
                               ", which backend_forbid forbids: " + in_quotes(program.forbid));
    }
    if (!trim(program.prefer).empty()) {
        return refuse(why, "backend is " + in_quotes(program.backend) + ", so backend_prefer (" +
                               in_quotes(program.prefer) + ") has no effect: it goes with " +
                               in_quotes(automatic) + " only");
    }
    return {};
}

// Adds the rows named in `wanted`, then or else every automatic one, unless forbidden.
class planner {
public:
    planner(std::span<const backend_entry> rows, const names& by_program,
            const names& by_environment)
        : rows_{rows}, by_program_{by_program}, by_environment_{by_environment} {}

    void add_all(const names& wanted, std::string_view claim) {
        for (const std::string_view name : wanted) {
            if (const backend_entry* const row = find(rows_, name); row != nullptr) {
                add(*row, claim);
            }
        }
    }
    void add_automatic() {
        for (const backend_entry& row : rows_) {
            if (row.automatic) add(row, {});
        }
    }
    [[nodiscard]] plan& result() { return result_; }

private:
    void add(const backend_entry& row, std::string_view claim) {
        const auto same = [&row](const candidate& each) { return each.entry == &row; };
        if (std::any_of(result_.candidates.begin(), result_.candidates.end(), same)) return;
        if (has(passed_, row.name)) return;
        const bool program = has(by_program_, row.name);
        if (!program && !has(by_environment_, row.name)) {
            result_.candidates.push_back({&row, claim});
            return;
        }
        passed_.push_back(row.name);
        if (!result_.forbidden.empty()) result_.forbidden += "; ";
        result_.forbidden += std::string{row.name} + " is forbidden by " +
                             (program ? "the program" : choice_variable);
    }

    std::span<const backend_entry> rows_;
    const names& by_program_;
    const names& by_environment_;
    names passed_;
    plan result_;
};

}  // namespace

std::error_code make_plan(std::span<const backend_entry> rows, const wishes& program,
                          std::string_view environment, plan& out, std::string& why) {
    names prefer;
    names forbid;
    if (auto error = read_names(rows, "backend_prefer", program.prefer, prefer, why)) return error;
    if (auto error = read_names(rows, "backend_forbid", program.forbid, forbid, why)) return error;
    for (const std::string_view name : prefer) {
        if (!has(forbid, name)) continue;
        return refuse(why, "backend_prefer and backend_forbid both name " + in_quotes(name));
    }

    override_by_environment instead;
    if (program.backend != automatic) {
        if (auto error = check_demand(rows, program, forbid, why)) return error;
        out = {.candidates = {{find(rows, program.backend), "asked for by name"}},
               .demand = true,
               .forbidden = {}};
        return {};
    }
    if (auto error = read_environment(rows, environment, instead, why)) return error;
    if (!instead.demand.empty()) {
        if (has(forbid, instead.demand)) {
            return refuse(why, std::string{"the environment variable "} + choice_variable +
                                   " asks for " + in_quotes(instead.demand) +
                                   ", which the program forbids");
        }
        out = {.candidates = {{find(rows, instead.demand), "asked for by IORING_BACKEND"}},
               .demand = true,
               .forbidden = {}};
        return {};
    }

    planner order{rows, forbid, instead.forbid};
    order.add_all(instead.prefer, "preferred by IORING_BACKEND");
    if (!instead.present || !instead.forbid.empty()) {
        order.add_all(prefer, "preferred by the program");
    }
    order.add_automatic();
    if (order.result().candidates.empty()) {
        why = order.result().forbidden.empty()
                  ? "this build has no backend that can be chosen automatically"
                  : "no backend is left to choose: " + order.result().forbidden;
        return std::make_error_code(std::errc::not_supported);
    }
    out = std::move(order.result());
    return {};
}

}  // namespace ioring::backends
