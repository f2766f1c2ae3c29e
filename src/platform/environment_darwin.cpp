// SPDX-License-Identifier: MIT
// environment_darwin.cpp - getenv, unless the process has gained rights by its start.
#include <stdlib.h>
#include <unistd.h>

#include "platform/environment.hpp"

namespace ioring::platform {

std::string environment(const char* name) {
    const char* const value = ::issetugid() != 0 ? nullptr : ::getenv(name);
    return value == nullptr ? std::string{} : std::string{value};
}

}  // namespace ioring::platform
