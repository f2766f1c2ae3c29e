// SPDX-License-Identifier: MIT
// registry.hpp - the backends built into this library, best first, and the choice among them.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "backend/backend.hpp"

namespace ioring::backends {

struct chosen_backend {
    std::unique_ptr<backend> instance;
    std::string_view name;  // Static.
    std::string reason;     // Why this one: one clause for a person.
};

[[nodiscard]] std::span<const backend_entry> all() noexcept;

// For tests: one more backend, which only its name chooses, such as io_uring with features masked.
// Before anything else of the library is used; not thread-safe. Precondition: not automatic.
void add(const backend_entry& entry);

// Sets up the backend called `name`, or for "automatic" the first candidate that works here.
// A refusal moves on to the next candidate, exhaustion does not. On error `out` is unchanged.
// Errors: invalid_argument (no such backend in this build; `why` lists those there are), or what
// set-up gave.
[[nodiscard]] std::error_code choose(std::string_view name, const backend_options& options,
                                     chosen_backend& out, std::string& why) noexcept;

}  // namespace ioring::backends
