// SPDX-License-Identifier: MIT
// entries.cpp - which backends have a feature, by asking each.
#include "entries.hpp"

#include <map>

namespace ioring::conformance {

namespace {

// What the backend called `name` can do; all of it when it is refused, which its tests then tell.
const probe_result& probe_of(const std::string& name) {
    static std::map<std::string, probe_result> known;
    const auto [found, is_new] = known.try_emplace(name);
    if (is_new) {
        ring trial;
        if (ring::create({.sq_entries = 8, .backend = name}, trial)) {
            found->second.features.set();
        } else {
            found->second = trial.probe();
        }
    }
    return found->second;
}

}  // namespace

std::vector<std::string> names_with(feature which) {
    // Not the late ones: these suites count and order what comes.
    std::vector<std::string> names = names_of_prompt();
    std::erase_if(names, [which](const std::string& name) { return !probe_of(name).has(which); });
    return names;
}

std::vector<std::string> names_of_prompt() {
    std::vector<std::string> names;
    for (const std::string& name : names_asked_for()) {
        if (!name.ends_with("_late")) names.push_back(name);
    }
    return names;
}

}  // namespace ioring::conformance
