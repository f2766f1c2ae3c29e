// SPDX-License-Identifier: MIT
// report_text.cpp - the diagnosis as a person reads it: the verdict first.
#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "common/number_text.hpp"
#include "common/table.hpp"
#include "doctor/report.hpp"
#include "ioring/names.hpp"

namespace doctor {
namespace {

namespace tools = ioring::tools;

std::string line(std::string_view name, const std::string& text) {
    return fmt::format("{:<14}{}\n", name, text);
}

std::string number_text(std::uint64_t value) {
    return value == unlimited ? "unlimited" : tools::with_commas(value);
}

std::string amount_text(std::uint64_t value, bool bytes) {
    return bytes && value != unlimited ? tools::bytes_text(value) : number_text(value);
}

std::string sysctl_text(const machine& found) {
    if (!found.io_uring_disabled) return "this kernel has no sysctl kernel.io_uring_disabled";
    switch (*found.io_uring_disabled) {
        case 0: return "allowed (kernel.io_uring_disabled = 0)";
        case 1:
            return fmt::format(
                "for privileged processes and the group {} only (kernel.io_uring_disabled = 1)",
                found.io_uring_group.value_or(-1));
        default:
            return fmt::format("forbidden (kernel.io_uring_disabled = {}): set it to 0",
                               *found.io_uring_disabled);
    }
}

std::string seccomp_text(const machine& found) {
    if (!found.seccomp_mode) return "not known";
    std::string text = "no filter";
    if (*found.seccomp_mode == 1) text = "strict mode";
    if (*found.seccomp_mode == 2) {
        text = fmt::format("{} filter{}", found.seccomp_filters.value_or(1),
                           found.seccomp_filters.value_or(1) == 1 ? "" : "s");
    }
    return text + (found.no_new_privileges.value_or(false) ? ", no_new_privs" : "");
}

std::string identity(const machine& found) {
    std::string text =
        line("system", fmt::format("{} {} {}", found.system, found.release, found.architecture));
    if (found.system != "Linux") return text;
    text += line("io_uring", sysctl_text(found));
    text += line("seccomp", seccomp_text(found));
    return text + line("container", found.container.empty() ? "no sign of one" : found.container);
}

std::string choice_text(const choice& chosen) {
    if (!chosen.made) return line("chosen", "none: " + chosen.reason);
    return line("chosen", chosen.backend + ", because " + chosen.reason) +
           line("", chosen.description.substr(0, chosen.description.find("; ")));
}

std::string backends_text(const diagnosis& of) {
    std::string text = "\nbackends, in the order of the automatic choice\n";
    for (const ioring::backend_report& each : of.backends) {
        const char* const how = each.error ? "refused: " : "works: ";
        text += fmt::format("  {:<10}  {}{}{}\n", each.name, how, each.reason,
                            each.automatic ? "" : " (chosen by its name only)");
    }
    return text;
}

// A table of what each backend that works can do.
template <class Names, class Has>
std::string abilities(const diagnosis& of, const char* heading, const Names& names, Has has) {
    std::vector<std::string> header{heading};
    for (const ioring::backend_report& each : of.backends) {
        if (!each.error) header.emplace_back(each.name);
    }
    if (header.size() == 1) return {};
    tools::table rows{header};
    for (const auto which : names) {
        std::vector<std::string> row{std::string{to_string(which)}};
        bool anywhere = false;
        for (const ioring::backend_report& each : of.backends) {
            if (each.error) continue;
            const bool there = has(each.probe, which);
            anywhere = anywhere || there;
            row.emplace_back(there ? "yes" : "-");
        }
        if (anywhere) rows.add(row);
    }
    return "\n" + rows.text();
}

std::string opcodes_text(const diagnosis& of) {
    std::vector<ioring::opcode> named;
    for (unsigned code = 0; code < 256; ++code) {
        const auto which = static_cast<ioring::opcode>(code);
        if (to_string(which) != "?") named.push_back(which);
    }
    return abilities(of, "operation", named,
                     [](const ioring::probe_result& probe, ioring::opcode which) {
                         return probe.supports(which);
                     });
}

std::string features_text(const diagnosis& of) {
    std::vector<ioring::feature> all;
    for (std::size_t i = 0; i < static_cast<std::size_t>(ioring::feature::count); ++i) {
        all.push_back(static_cast<ioring::feature>(i));
    }
    return abilities(
        of, "ability", all,
        [](const ioring::probe_result& probe, ioring::feature which) { return probe.has(which); });
}

std::string descriptors_text(const machine& found) {
    std::string text = number_text(found.descriptors.hard);
    if (found.descriptors.soft != found.descriptors.hard) {
        text += fmt::format(", of which {} until the program raises its soft limit",
                            number_text(found.descriptors.soft));
    }
    return text + fmt::format("; {} open now", found.descriptors_used.value_or(0));
}

std::string locked_memory_text(const machine& found) {
    const std::uint64_t bytes = found.locked_memory_bytes.soft;
    if (found.may_lock_memory.value_or(false)) return "any amount (CAP_IPC_LOCK)";
    return amount_text(bytes, true) +
           "; only rings and send_zc lock memory, plain receives and sends do not";
}

std::string limits_text(const machine& found) {
    std::string text = "\nlimits\n";
    text += line("  descriptors", descriptors_text(found));
    text +=
        line("  mappings",
             number_text(found.mappings_max) +
                 (found.mappings_used ? fmt::format("; {} in use now", *found.mappings_used) : ""));
    text += line("  memory", found.memory_available_bytes == unlimited
                                 ? "not known"
                                 : tools::bytes_text(found.memory_available_bytes) + " available");
    text += line("  lockable", locked_memory_text(found));
    if (found.backlog_max) {
        text += line("  backlog", fmt::format("{} connections wait to be accepted at most",
                                              tools::with_commas(*found.backlog_max)));
    }
    return text;
}

std::string prices_text(const diagnosis& of) {
    const std::uint64_t shown = of.asked.connections.value_or(of.connections());
    tools::table rows{
        {"  limit", "allowed", fmt::format("{} need", tools::with_commas(shown)), "connections"}};
    for (const price& each : of.prices) {
        const bool bytes = counts_bytes(each.kind);
        rows.add({"  " + std::string{name_of(each.kind)}, amount_text(each.allowed, bytes),
                  amount_text(each.needed(shown), bytes), number_text(each.connections())});
    }
    return rows.text();
}

std::string verdict(const diagnosis& of) {
    const std::uint64_t most = of.connections();
    if (of.missing) {
        return fmt::format("none fit: {} needs {}, which backend {} has not here",
                           name_of(of.asked.how.strategy), to_string(*of.missing),
                           of.chosen.backend);
    }
    const price& first = of.prices.front();
    std::string text =
        of.asked.connections
            ? fmt::format("{} {}; {} would", tools::with_commas(*of.asked.connections),
                          of.fits() ? "fit" : "DO NOT FIT", number_text(most))
            : fmt::format("{} fit", number_text(most));
    return text + fmt::format(", and {} bind first", name_of(first.kind));
}

std::string fit_text(const diagnosis& of) {
    if (!of.chosen.made) return {};
    std::string text =
        fmt::format("\nconnections, {} with buffers of {}\n", name_of(of.asked.how.strategy),
                    tools::bytes_text(of.asked.how.buffer_bytes));
    text += prices_text(of);
    text += verdict(of) + "\n";
    if (of.missing) return text;
    // More of the same, where nothing in particular was asked.
    const std::uint64_t wanted = of.asked.connections.value_or(of.connections() * 2);
    const std::string advice = advice_on(of.prices.front(), wanted, of);
    if (!of.asked.connections || !of.fits()) {
        text += fmt::format("for {}: {}\n", tools::with_commas(wanted), advice);
    }
    return text;
}

}  // namespace

std::string report_text(const diagnosis& of) {
    return identity(of.found) + choice_text(of.chosen) + backends_text(of) + opcodes_text(of) +
           features_text(of) + limits_text(of.found) + fit_text(of);
}

}  // namespace doctor
