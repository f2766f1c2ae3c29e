// SPDX-License-Identifier: MIT
// wrapper.hpp - backends that are asked for with an argument, and mostly stand around another one.
//
// "fault:7:uring" is the wrapper `fault` with the argument "7" around the backend `uring`. An
// argument ends at the next colon; what follows names the inner backend, which may be a wrapper
// again. The registry sets the inner one up, so that no backend knows another.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "backend/backend.hpp"

namespace ioring::backends {

struct wrapper_request {
    backend_options queues;
    std::string_view argument;
    std::string_view inner_name;     // Empty for a wrapper without an inner backend.
    std::unique_ptr<backend> inner;  // Of `queues`, not yet owned by a thread.
};

// As setup_function. Errors: invalid_argument when the argument is none; `why` says what it must
// be.
using wrap_function = std::error_code (*)(wrapper_request&& request, std::unique_ptr<backend>& out,
                                          std::string& why) noexcept;

struct wrapper_entry {
    std::string_view name;
    std::string_view usage;  // "fault:SEED:BACKEND"
    wrap_function set_up;
    bool has_inner;
};

}  // namespace ioring::backends
