// SPDX-License-Identifier: MIT
// entries.cpp - which backends have a feature, by asking each.
#include "entries.hpp"

namespace ioring::conformance {

std::vector<std::string> names_with(feature which) {
    std::vector<std::string> names;
    for (const std::string& name : names_under_test()) {
        ring trial;
        const bool refused =
            static_cast<bool>(ring::create({.sq_entries = 8, .backend = name}, trial));
        if (refused || trial.probe().has(which)) names.push_back(name);
    }
    return names;
}

std::vector<std::string> names_of_prompt() {
    std::vector<std::string> names;
    for (const std::string& name : names_under_test()) {
        if (!name.ends_with("_late")) names.push_back(name);
    }
    return names;
}

}  // namespace ioring::conformance
