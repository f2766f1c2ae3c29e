// SPDX-License-Identifier: MIT
// report.hpp - a run's results for people and for programs.
#pragma once

#include <string>

#include "results.hpp"
#include "settings.hpp"

namespace load {

// "50 connections x 64 B, depth 1, closed loop, every byte verified", without an end of line.
[[nodiscard]] std::string headline(const settings& asked);

// The lines after it, each ended.
[[nodiscard]] std::string text_report(const settings& asked, const results& found);

// One JSON object on one line, ended. Its fields are listed in tools/load/README.md.
[[nodiscard]] std::string json_report(const settings& asked, const results& found);

// What went wrong, a sentence a line without the program's name: the first failures, then how many
// more there were; what else the person should know. Empty when nothing did.
[[nodiscard]] std::string complaints(const settings& asked, const results& found);

}  // namespace load
