// SPDX-License-Identifier: MIT
// print.hpp - a record of a trace as a line, for a person or as JSON.
#pragma once

#include <string>

#include "ioring/trace.hpp"

namespace trace_tool {

// "+0.001203 sqe 7: recv fd 5 len 64 user_data 0x1", without the line's end.
[[nodiscard]] std::string text_of(const ioring::trace::record& each);
// The header of the file, in the same manner.
[[nodiscard]] std::string text_of(const ioring::trace::file_header& header);

// One object, on one line; field names are those of trace.hpp. 64-bit numbers that may be any are
// text in hexadecimal, which no reader of JSON rounds.
[[nodiscard]] std::string json_of(const ioring::trace::record& each);
[[nodiscard]] std::string json_of(const ioring::trace::file_header& header);

}  // namespace trace_tool
