// SPDX-License-Identifier: MIT
// choice.hpp - the choice among backends: by trial, with a way out where a machine refuses.
//
// A refusal (this machine does not let anybody, or has no such thing) moves on to the next
// candidate. Exhaustion (no descriptor, no memory) does not: another backend would meet the same
// limit a moment later, and the program would run on one that nobody meant.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "backend/backend.hpp"
#include "backend/policy.hpp"
#include "ioring/probe.hpp"

namespace ioring::backends {

struct chosen_backend {
    std::unique_ptr<backend> instance;
    std::string_view name;  // Static.
    std::string reason;     // Why this one: one clause for a person.
};

// Whether `error` says that this machine does not offer a backend at all.
[[nodiscard]] bool is_refusal(std::error_code error) noexcept;

// How a small ring fared that was made to be thrown away.
struct trial {
    std::error_code error;  // None: it was set up and a nop went there and back.
    std::string why;        // On an error: a sentence as set-up gives it.
    std::string description;
    probe_result probe;
};
[[nodiscard]] trial try_out(const backend_entry& entry);

// Makes `out` a backend of the first candidate of the plan (see make_plan()) that works here. Where
// none was demanded, one that has not carried a nop in this process yet is tried out first. On
// error `out` is unchanged and `why` tells of each that was tried.
//
// Errors: those of make_plan(); what set-up gave, of the last one tried.
[[nodiscard]] std::error_code choose_among(std::span<const backend_entry> rows,
                                           const wishes& program, std::string_view environment,
                                           const backend_options& options, chosen_backend& out,
                                           std::string& why);

}  // namespace ioring::backends
