// SPDX-License-Identifier: MIT
// target.hpp - the addresses that --host, --port and --unix name.
#pragma once

#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

#include "ioring/endpoint.hpp"

namespace ioring::tools {

struct target {
    std::string host = "127.0.0.1";  // A name or a numeric address.
    std::uint16_t port = 5000;
    std::string unix_path;  // When not empty, a local socket instead; "@name" is an abstract one.
};

// All addresses of `where`, in the order in which they should be tried. Blocks while a name is
// looked up. On error `out` is unchanged and `why` is a sentence that names the host or path.
[[nodiscard]] std::error_code find_endpoints(const target& where, std::vector<endpoint>& out,
                                             std::string& why);

// "127.0.0.1:5000", "localhost:5000", "unix:/path"; as the person has typed it.
[[nodiscard]] std::string to_string(const target& where);

}  // namespace ioring::tools
