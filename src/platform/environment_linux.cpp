// SPDX-License-Identifier: MIT
// environment_linux.cpp - secure_getenv, which knows of file capabilities too.
#include <stdlib.h>

#include "platform/environment.hpp"

namespace ioring::platform {

std::string environment(const char* name) {
    const char* const value = ::secure_getenv(name);
    return value == nullptr ? std::string{} : std::string{value};
}

}  // namespace ioring::platform
