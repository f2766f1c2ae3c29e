// SPDX-License-Identifier: MIT
// target.cpp - the addresses that --host, --port and --unix name.
#include "common/target.hpp"

#include <fmt/core.h>

namespace ioring::tools {

std::error_code find_endpoints(const target& where, std::vector<endpoint>& out, std::string& why) {
    if (where.unix_path.empty()) return resolve(where.host, where.port, out, &why);
    endpoint local;
    if (const auto error = endpoint::parse(to_string(where), local, &why)) return error;
    out.assign(1, local);
    return {};
}

std::string to_string(const target& where) {
    if (!where.unix_path.empty()) return "unix:" + where.unix_path;
    const bool bare_ipv6 = where.host.find(':') != std::string::npos && where.host.front() != '[';
    const std::string host = bare_ipv6 ? "[" + where.host + "]" : where.host;
    return fmt::format("{}:{}", host, where.port);
}

}  // namespace ioring::tools
