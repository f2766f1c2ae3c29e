// SPDX-License-Identifier: MIT
// rio_system.hpp - all that the core of the rio backend calls, as a struct of functions.
//
// On Windows load() fills it; tests put the double of tests/rio_double in its place. That is why
// this folder runs on every system.
#pragma once

#include <cstdint>
#include <string>

#include "backend/rio/rio_abi.hpp"

namespace ioring::backends::rio {

struct system {
    abi::function_table table{};
    // The error of the calling thread's last call that failed.
    std::int32_t (*last_error)() noexcept = nullptr;
    // A new stream socket that may have a request queue, or abi::invalid_socket.
    abi::socket (*open_socket)() noexcept = nullptr;
    // 0, or the error's code.
    std::int32_t (*close_socket)(abi::socket closed) noexcept = nullptr;
    // A code of Winsock's as the host's -errno.
    std::int32_t (*negative_errno)(std::int32_t code) noexcept = nullptr;
};

// Whether Registered I/O works here. That the table can be had proves little: some security
// products make its queues fail. So this makes a queue of each kind, and gives them back. When it
// does not, `why` says in one sentence what was refused.
[[nodiscard]] bool works(const system& on, std::string& why);

// Windows only. Fills `out` by WSAIoctl. False, and `why` says which call failed: Wine has no
// Registered I/O, for one.
[[nodiscard]] bool load(system& out, std::string& why);

}  // namespace ioring::backends::rio
