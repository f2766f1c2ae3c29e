// SPDX-License-Identifier: MIT
// resolve.hpp - the part of name resolution that is tested without a name server.
#pragma once

#include <system_error>

#include "ioring/endpoint.hpp"

namespace ioring::platform {

// What getaddrinfo()'s `status` (EAI_*) means, with the errno that it left for EAI_SYSTEM.
[[nodiscard]] std::error_code resolver_code(int status, int error) noexcept;

}  // namespace ioring::platform
