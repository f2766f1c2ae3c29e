// SPDX-License-Identifier: MIT
// policy.hpp - which backends the program, and whoever starts it, want, prefer and forbid.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "backend/backend.hpp"

namespace ioring::backends {

// The environment variable that ring_options.hpp describes.
inline constexpr const char* choice_variable = "IORING_BACKEND";

// The fields of ring_options of the same meaning.
struct wishes {
    std::string_view backend = "automatic";
    std::string_view prefer = "";
    std::string_view forbid = "";
};

struct candidate {
    const backend_entry* entry;
    std::string_view claim;  // Static: why it is tried before its turn, or empty.
};

struct plan {
    // Tried in this order; for a demand there is one, and it is not put on trial.
    std::vector<candidate> candidates;
    bool demand = false;
    // Clauses about those that would have been tried, but are forbidden; "; " between them.
    std::string forbidden;
};

// Makes `out` the plan that follows from the program's wishes and from `environment`, the value of
// choice_variable (empty: not set). On error `out` is unchanged. `out` points into `rows`.
//
// Errors: invalid_argument   a word or name that there is not, or wishes that contradict each
//                            other; `why` names the field or variable
//         not_supported      nothing is left to try
[[nodiscard]] std::error_code make_plan(std::span<const backend_entry> rows, const wishes& program,
                                        std::string_view environment, plan& out, std::string& why);

}  // namespace ioring::backends
