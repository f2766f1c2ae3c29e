// SPDX-License-Identifier: MIT
// registry.hpp - the backends built into this library, best first, and the choice among them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "backend/backend.hpp"
#include "backend/choice.hpp"
#include "backend/policy.hpp"

namespace ioring::backends {

[[nodiscard]] std::span<const backend_entry> all() noexcept;

// For tests: one more backend, which only its name chooses, such as io_uring with features masked.
// Before anything else of the library is used; not thread-safe. Precondition: not automatic.
void add(const backend_entry& entry);

// choose_among() all of them, with the environment of this process.
[[nodiscard]] std::error_code choose(const wishes& program, const backend_options& options,
                                     chosen_backend& out, std::string& why);
// The same for a program that names one, or "automatic", and has no other wish.
[[nodiscard]] std::error_code choose(std::string_view name, const backend_options& options,
                                     chosen_backend& out, std::string& why);

// Whether choose() would take these words on this system, whatever the environment says and the
// machine allows. Errors: those of make_plan().
[[nodiscard]] std::error_code check(const wishes& program, std::string& why);

}  // namespace ioring::backends
