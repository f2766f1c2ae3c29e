// SPDX-License-Identifier: MIT
// environment_windows.cpp - Windows has no set-user-ID programs: every variable may be believed.
#include <array>

#include "platform/environment.hpp"
#include "platform/winsock_windows.hpp"

namespace ioring::platform {

std::string environment(const char* name) {
    // Longer than Windows lets one be.
    constexpr DWORD most = 32'768;
    std::string value(most, '\0');
    const DWORD bytes = ::GetEnvironmentVariableA(name, value.data(), most);
    value.resize(bytes < most ? bytes : 0);
    return value;
}

}  // namespace ioring::platform
