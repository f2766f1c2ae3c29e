// SPDX-License-Identifier: MIT
// command_line.hpp - options of our own kinds for CLI11, and how a tool ends.
//
// Every tool ends with 0 (done), 1 (it could not, or found something wrong) or 2 (it was asked
// wrongly). A failure is one sentence on the standard error, after the tool's name.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "common/target.hpp"

namespace CLI {  // NOLINT(readability-identifier-naming): its name.
class App;
class Option;
}  // namespace CLI

namespace ioring::tools {

inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;

// Says `sentence` on the standard error as "tool: sentence" and returns `status`.
int complain(std::string_view tool, std::string_view sentence, int status = exit_failed);

// What an option's value may be, both ends included.
struct limits {
    std::uint64_t min = 0;
    std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
};

// The text forms are those of number_text.hpp. The option's variable keeps its value as the default
// when the option is not given. Its name is written as CLI11 wants it ("-n,--connections").
CLI::Option* add_size(CLI::App& app, const std::string& name, std::uint64_t& out, limits range,
                      const std::string& description);
CLI::Option* add_count(CLI::App& app, const std::string& name, std::uint64_t& out, limits range,
                       const std::string& description);
// A positive decimal number.
CLI::Option* add_decimal(CLI::App& app, const std::string& name, double& out,
                         const std::string& description);
// `min` is 0 or 1 ns for the most part.
CLI::Option* add_duration(CLI::App& app, const std::string& name, std::chrono::nanoseconds& out,
                          std::chrono::nanoseconds min, const std::string& description);
// A number of a CPU, from 0.
CLI::Option* add_cpu(CLI::App& app, std::optional<int>& out);
// --backend: "automatic", one of backend_names(), or a wrapper with its argument.
CLI::Option* add_backend(CLI::App& app, std::string& out);
// --host, --port from `port_min` to 65535, --unix (which excludes the two).
void add_target(CLI::App& app, target& out, std::uint16_t port_min);

// Parses. No value: go on. Otherwise the program is to end with it: 0 after --help or --version,
// exit_usage after a complaint.
[[nodiscard]] std::optional<int> parse(CLI::App& app, int argc, const char* const* argv);

}  // namespace ioring::tools
