// SPDX-License-Identifier: MIT
// http_check.hpp - what examples/http_request.hpp must do with bytes of any kind.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace ioring::fuzz {

// Requests of every kind, good and bad: what mutations begin with.
[[nodiscard]] std::span<const std::string_view> http_samples();

// Reads `input` as a server would, request after request, and ends the program when
//   - a byte behind the input is looked at (there is a page that nobody may read), or a text of the
//     head lies outside of it;
//   - the same bytes mean something else when they come in pieces;
//   - a head that was accepted is refused, or read as another, when it is written anew;
//   - a request that was accepted is refused by http_parser, or has another end or body for it.
// Returns what was read, in words. Of the input the first 60,000 bytes count.
std::string check_http(std::string_view input);

}  // namespace ioring::fuzz
