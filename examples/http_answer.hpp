// SPDX-License-Identifier: MIT
// http_answer.hpp - the words of HTTP's answers, written straight into a send buffer.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <span>
#include <string_view>

namespace http {

[[nodiscard]] inline std::string_view reason_of(int status) {
    switch (status) {
        case 200: return "OK";
        case 206: return "Partial Content";
        case 301: return "Moved Permanently";
        case 304: return "Not Modified";
        case 400: return "Bad Request";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 408: return "Request Timeout";
        case 413: return "Content Too Large";
        case 414: return "URI Too Long";
        case 416: return "Range Not Satisfiable";
        case 417: return "Expectation Failed";
        case 431: return "Request Header Fields Too Large";
        case 501: return "Not Implemented";
        case 505: return "HTTP Version Not Supported";
        default: return "Error";
    }
}

// Text that is written straight into the send buffer, where there is room for it.
class text {
public:
    explicit text(std::span<std::byte> room)
        : begin_{reinterpret_cast<char*>(room.data())}, at_{begin_}, end_{begin_ + room.size()} {}
    text& operator<<(std::string_view part) {
        const std::size_t bytes = std::min(part.size(), static_cast<std::size_t>(end_ - at_));
        at_ = std::copy_n(part.data(), bytes, at_);
        return *this;
    }
    text& number(std::uint64_t value, int base = 10) {
        at_ = std::to_chars(at_, end_, value, base).ptr;
        return *this;
    }
    [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }

private:
    char* begin_;
    char* at_;
    char* end_;
};

// "Fri, 27 Nov 2026 12:00:00 GMT", made once a second.
[[nodiscard]] inline std::string_view date_now() {
    static std::time_t made = -1;
    static char line[64];
    static std::size_t bytes = 0;
    const std::time_t now = std::time(nullptr);
    if (now != made) {
        std::tm parts{};
        ::gmtime_r(&now, &parts);
        bytes = std::strftime(line, sizeof line, "%a, %d %b %Y %H:%M:%S GMT", &parts);
        made = now;
    }
    return {line, bytes};
}

}  // namespace http
