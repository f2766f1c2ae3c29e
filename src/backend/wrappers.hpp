// SPDX-License-Identifier: MIT
// wrappers.hpp - the wrappers built into this library, and the choice among them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "backend/registry.hpp"
#include "backend/wrapping/wrapper.hpp"

namespace ioring::backends {

[[nodiscard]] std::span<const wrapper_entry> all_wrappers() noexcept;

// Whether `name` begins with a wrapper's name, as "fault" and "fault:7:uring" do.
[[nodiscard]] bool names_wrapper(std::string_view name) noexcept;

// Sets up what `name` asks for, the inner backend first. On error `out` is unchanged. Errors:
// invalid_argument (a part of the name is missing or wrong; `why` says which), or what set-up gave.
// Precondition: names_wrapper(name).
[[nodiscard]] std::error_code choose_wrapped(std::string_view name, const backend_options& options,
                                             chosen_backend& out, std::string& why) noexcept;

}  // namespace ioring::backends
