// SPDX-License-Identifier: MIT
// http_range.hpp - which part of a file a request is for: entity tags and one range of bytes.
//
// RFC 9110: If-None-Match (13.1.2), If-Range with a tag (13.1.5), Range (14.2). Several ranges at
// once, and what is no range, are answered with all of the file, which the standard leaves open.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "http_request.hpp"

namespace http {

struct selection {
    int status = 200;         // 200 all of it, 206 a part, 304 nothing of it, 416 there is no such.
    std::uint64_t first = 0;  // The bytes from here ...
    std::uint64_t end = 0;    // ... to before here.
};

namespace detail {

[[nodiscard]] inline std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

// Whether `tag` is in a list of them, "W/" or not; "*" is any.
[[nodiscard]] inline bool names_tag(std::string_view list, std::string_view tag) {
    list = trimmed(list);
    if (list == "*") return true;
    while (!list.empty()) {
        if (list.front() == ',' || list.front() == ' ' || list.front() == '\t') {
            list.remove_prefix(1);
            continue;
        }
        if (list.substr(0, 2) == "W/") list.remove_prefix(2);
        const std::size_t end = list.substr(0, 1) == "\"" ? list.find('"', 1) : list.npos;
        if (end == list.npos) return false;  // No list.
        if (list.substr(0, end + 1) == tag) return true;
        list.remove_prefix(end + 1);
    }
    return false;
}

// Digits only. What is too large is the largest.
[[nodiscard]] inline bool read_position(std::string_view text, std::uint64_t& out) {
    if (!is_number(text)) return false;
    out = 0;
    for (const char digit : text) {
        const auto value = static_cast<std::uint64_t>(digit - '0');
        const bool fits = out <= (UINT64_MAX - value) / 10;
        out = fits ? out * 10 + value : UINT64_MAX;
        if (!fits) break;
    }
    return true;
}

// "bytes=0-99", "bytes=100-" or "bytes=-100", of a file of `bytes`.
[[nodiscard]] inline selection read_range(std::string_view text, std::uint64_t bytes) {
    const selection all{.end = bytes};
    constexpr selection none{.status = 416};
    const std::size_t equals = text.find('=');
    if (equals == text.npos || !same_word(text.substr(0, equals), "bytes")) return all;
    const std::string_view range = text.substr(equals + 1);
    const std::size_t dash = range.find('-');
    if (dash == range.npos) return all;
    const std::string_view left = range.substr(0, dash);
    const std::string_view right = range.substr(dash + 1);
    std::uint64_t first = 0;
    std::uint64_t last = UINT64_MAX;
    if (left.empty()) {
        if (!read_position(right, last)) return all;
        if (last == 0) return none;
        if (bytes == 0) return all;  // Whose last bytes cannot be named.
        return {.status = 206, .first = bytes - std::min(last, bytes), .end = bytes};
    }
    if (!read_position(left, first)) return all;
    if (!right.empty() && (!read_position(right, last) || last < first)) return all;
    if (first >= bytes) return none;
    return {.status = 206, .first = first, .end = std::min(last, bytes - 1) + 1};
}

}  // namespace detail

// What a GET or HEAD is answered with that found a file of `bytes` and of this entity tag.
[[nodiscard]] inline selection select(const head& of, std::string_view tag, std::uint64_t bytes) {
    const head::field* range = nullptr;
    bool is_still_so = true;
    for (const head::field& each : of.fields()) {
        if (same_word(each.name, "if-none-match") && detail::names_tag(each.value, tag)) {
            return {.status = 304};
        }
        if (same_word(each.name, "if-range")) is_still_so = detail::trimmed(each.value) == tag;
        if (same_word(each.name, "range")) {
            if (range != nullptr) is_still_so = false;  // Several are none.
            range = &each;
        }
    }
    if (range == nullptr || !is_still_so || of.method != "GET") return {.end = bytes};
    return detail::read_range(detail::trimmed(range->value), bytes);
}

}  // namespace http
