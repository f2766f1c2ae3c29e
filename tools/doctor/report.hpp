// SPDX-License-Identifier: MIT
// report.hpp - a diagnosis in words for a person, and as one object for a script.
#pragma once

#include <string>

#include "doctor/diagnosis.hpp"

namespace doctor {

[[nodiscard]] std::string report_text(const diagnosis& of);
// One JSON object on one line; docs/doctor.md lists its names.
[[nodiscard]] std::string report_json(const diagnosis& of);

// What to do about the limit that binds, for `connections` that should fit; empty where nothing
// can be done.
[[nodiscard]] std::string advice_on(const price& limit, std::uint64_t connections,
                                    const diagnosis& of);

}  // namespace doctor
