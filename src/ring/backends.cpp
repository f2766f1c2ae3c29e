// SPDX-License-Identifier: MIT
// backends.cpp - the registry's rows, tried one after the other.
#include "ioring/backends.hpp"

#include <utility>

#include "backend/registry.hpp"

namespace ioring {

std::vector<backend_report> examine_backends() {
    std::vector<backend_report> reports;
    for (const backends::backend_entry& entry : backends::all()) {
        backends::trial tried = backends::try_out(entry);
        if (!tried.error) tried.why = "a ring could be set up and completed a nop";
        reports.push_back({.name = entry.name,
                           .automatic = entry.automatic,
                           .error = tried.error,
                           .reason = std::move(tried.why),
                           .description = std::move(tried.description),
                           .probe = tried.probe});
    }
    return reports;
}

}  // namespace ioring
