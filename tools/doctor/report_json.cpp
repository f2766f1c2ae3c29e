// SPDX-License-Identifier: MIT
// report_json.cpp - the diagnosis as one object whose names stay.
#include <nlohmann/json.hpp>

#include "common/error_text.hpp"
#include "doctor/report.hpp"
#include "ioring/names.hpp"
#include "ioring/version.hpp"

namespace doctor {
namespace {

using json = nlohmann::ordered_json;

// No limit, and what is not known, are null.
json number(std::uint64_t value) { return value == unlimited ? json{} : json(value); }

template <class Value>
json value_or_null(const std::optional<Value>& value) {
    return value ? json(*value) : json{};
}

json text_or_null(const std::string& text) { return text.empty() ? json{} : json(text); }

json pair(const soft_and_hard& limit) {
    return {{"soft", number(limit.soft)}, {"hard", number(limit.hard)}};
}

json system_of(const machine& found) {
    return {{"name", found.system},
            {"release", found.release},
            {"architecture", found.architecture},
            {"io_uring_disabled", value_or_null(found.io_uring_disabled)},
            {"io_uring_group", value_or_null(found.io_uring_group)},
            {"seccomp_mode", value_or_null(found.seccomp_mode)},
            {"seccomp_filters", value_or_null(found.seccomp_filters)},
            {"no_new_privileges", value_or_null(found.no_new_privileges)},
            {"container", text_or_null(found.container)}};
}

json opcodes_of(const ioring::probe_result& probe) {
    json names = json::array();
    for (std::size_t code = 0; code < probe.opcodes.size(); ++code) {
        const std::string_view name = to_string(static_cast<ioring::opcode>(code));
        if (probe.opcodes.test(code) && name != "?") names.push_back(name);
    }
    return names;
}

json features_of(const ioring::probe_result& probe) {
    json names = json::array();
    for (std::size_t i = 0; i < probe.features.size(); ++i) {
        if (probe.features.test(i)) names.push_back(to_string(static_cast<ioring::feature>(i)));
    }
    return names;
}

json backends_of(const diagnosis& of) {
    json all = json::array();
    for (const ioring::backend_report& each : of.backends) {
        all.push_back({{"name", each.name},
                       {"automatic", each.automatic},
                       {"works", !each.error},
                       {"error", each.error ? json(ioring::tools::error_text(each.error)) : json{}},
                       {"reason", each.reason},
                       {"description", text_or_null(each.description)},
                       {"opcodes", opcodes_of(each.probe)},
                       {"features", features_of(each.probe)}});
    }
    return all;
}

json choice_of(const choice& chosen) {
    return {{"backend", text_or_null(chosen.backend)},
            {"reason", chosen.reason},
            {"description", text_or_null(chosen.description)}};
}

json limits_of(const machine& found) {
    json descriptors = pair(found.descriptors);
    descriptors["used"] = value_or_null(found.descriptors_used);
    json locked = pair(found.locked_memory_bytes);
    locked["exempt"] = value_or_null(found.may_lock_memory);
    return {{"descriptors", descriptors},
            {"locked_memory_bytes", locked},
            {"address_space_bytes", pair(found.address_space_bytes)},
            {"mappings",
             {{"max", number(found.mappings_max)}, {"used", value_or_null(found.mappings_used)}}},
            {"memory_available_bytes", number(found.memory_available_bytes)},
            {"backlog", value_or_null(found.backlog_max)}};
}

json connections_of(const diagnosis& of) {
    const std::uint64_t counted = of.asked.connections.value_or(of.connections());
    json limits = json::array();
    for (const price& each : of.prices) {
        limits.push_back({{"limit", name_of(each.kind)},
                          {"allowed", number(each.allowed)},
                          {"needed", number(each.needed(counted))},
                          {"connections", number(each.connections())}});
    }
    return {{"strategy", name_of(of.asked.how.strategy)},
            {"buffer_bytes", of.asked.how.buffer_bytes},
            {"asked", value_or_null(of.asked.connections)},
            {"fits", of.fits()},
            {"most", number(of.connections())},
            {"binding", name_of(of.prices.front().kind)},
            {"missing_feature", of.missing ? json(to_string(*of.missing)) : json{}},
            {"limits", limits}};
}

}  // namespace

std::string report_json(const diagnosis& of) {
    const json all{{"version", ioring::version_string},
                   {"system", system_of(of.found)},
                   {"chosen", choice_of(of.chosen)},
                   {"backends", backends_of(of)},
                   {"limits", limits_of(of.found)},
                   {"connections", connections_of(of)},
                   {"status", of.status()}};
    return all.dump();
}

}  // namespace doctor
