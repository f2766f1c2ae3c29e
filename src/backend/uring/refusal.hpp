// SPDX-License-Identifier: MIT
// refusal.hpp - why a ring could not be set up, and what to do about it.
#pragma once

#include <cstdint>
#include <string>
#include <system_error>

#include "ioring/probe.hpp"

namespace ioring::backends::uring {

// The -errno `error` of setting up a ring as the contract wants it. `why` becomes a sentence.
[[nodiscard]] std::error_code explain_setup_error(int error, std::uint32_t sq_entries,
                                                  std::uint32_t cq_entries, std::string& why);

// No rung of the ladder works: `error` is the last one's -errno.
[[nodiscard]] std::error_code explain_no_rung(int error, std::string& why);

// A ring works, but lacks what every ring of this library relies on.
[[nodiscard]] std::error_code explain_missing(feature which, std::string& why);

}  // namespace ioring::backends::uring
