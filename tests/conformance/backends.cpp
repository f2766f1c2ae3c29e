// SPDX-License-Identifier: MIT
// backends.cpp - the registry's names, or those that the environment lists.
#include "backends.hpp"

#include <cstdlib>
#include <sstream>

#include "backend/registry.hpp"

namespace ioring::conformance {

extra_backend::extra_backend(const backends::backend_entry& entry) { backends::add(entry); }

std::vector<std::string> names_under_test() {
    std::vector<std::string> names;
    if (const char* const asked = std::getenv("IORING_CONFORMANCE_BACKENDS"); asked != nullptr) {
        std::istringstream list{asked};
        for (std::string name; std::getline(list, name, ',');) names.push_back(name);
        return names;
    }
    for (const backends::backend_entry& each : backends::all()) {
        if (each.name != "null") names.emplace_back(each.name);
    }
    return names;
}

}  // namespace ioring::conformance
