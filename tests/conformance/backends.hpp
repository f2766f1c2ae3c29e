// SPDX-License-Identifier: MIT
// backends.hpp - which backends the conformance suite runs on.
#pragma once

#include <string>
#include <vector>

#include "backend/backend.hpp"

namespace ioring::conformance {

// One more backend, chosen by name only. Define an object of this type at namespace scope in a file
// that is linked to the suite; it must be made before main().
struct extra_backend {
    explicit extra_backend(const backends::backend_entry& entry);
};

// The names, in the registry's order: everything that this program knows except `null`, which
// completes without doing anything. IORING_CONFORMANCE_BACKENDS, names between commas, says
// otherwise; a name in it that does not exist is a failure of each test.
[[nodiscard]] std::vector<std::string> names_under_test();

}  // namespace ioring::conformance
