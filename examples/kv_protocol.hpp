// SPDX-License-Identifier: MIT
// kv_protocol.hpp - Redis's protocol (RESP 2): requests read where they were received, and answers.
//
// Limits and words of errors are Redis's where it has them. Nothing here knows sockets, time or
// commands.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kv {

constexpr std::size_t request_bytes_max = 1U << 20U;
constexpr std::size_t line_bytes_max = 1U << 16U;  // Words on a line, and heads of parts.
constexpr std::int64_t word_bytes_max = 1 << 18;
constexpr std::int64_t words_max = 1024;

[[nodiscard]] inline bool read_number(std::string_view text, std::int64_t& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size();
}

// "*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n", or words on a line. Its words are parts of the input.
class request {
public:
    enum class state { whole, partial, bad };

    // `input` begins with the request and may hold more behind it. Of one without words (an empty
    // line, an array of none) there is nothing to answer.
    [[nodiscard]] state read(std::string_view input) {
        words.clear();
        problem = {};
        input_ = input.substr(0, request_bytes_max);
        bytes = 0;
        const state how = read_parts();
        const bool is_full = how == state::partial && input_.size() == request_bytes_max;
        return is_full ? bad("too big request") : how;
    }

    std::vector<std::string_view> words;
    std::size_t bytes = 0;       // Of the input, when it is whole.
    std::string_view problem{};  // When it is bad: what Redis says.

private:
    state bad(std::string_view why) {
        problem = why;
        return state::bad;
    }

    // The line at `bytes`, without its end; `bytes` is then behind that.
    state read_line(std::string_view& line, std::string_view too_long) {
        const std::string_view rest = input_.substr(bytes, line_bytes_max + 2);
        const std::size_t end = rest.find("\r\n");
        if (end == std::string_view::npos) {
            return rest.size() < line_bytes_max + 2 ? state::partial : bad(too_long);
        }
        line = rest.substr(0, end);
        bytes += end + 2;
        return state::whole;
    }

    state read_parts() {
        const bool is_array = !input_.empty() && input_.front() == '*';
        std::string_view line;
        const state how =
            read_line(line, is_array ? "too big mbulk count string" : "too big inline request");
        if (how != state::whole) return how;
        if (!is_array) return split(line);
        std::int64_t count = 0;
        if (!read_number(line.substr(1), count) || count > words_max) {
            return bad("invalid multibulk length");
        }
        for (; count > 0; --count) {
            if (const state word = read_word(); word != state::whole) return word;
        }
        return state::whole;
    }

    state split(std::string_view line) {
        for (std::size_t begin = 0; begin < line.size();) {
            const std::size_t end = std::min(line.find(' ', begin), line.size());
            if (end > begin) words.push_back(line.substr(begin, end - begin));
            begin = end + 1;
        }
        return state::whole;
    }

    state read_word() {
        if (bytes < input_.size() && input_[bytes] != '$') return bad("expected '$'");
        std::string_view line;
        const state how = read_line(line, "too big bulk count string");
        if (how != state::whole) return how;
        std::int64_t size = 0;
        if (!read_number(line.substr(1), size) || size < 0 || size > word_bytes_max) {
            return bad("invalid bulk length");
        }
        const auto length = static_cast<std::size_t>(size);
        const std::string_view rest = input_.substr(bytes);
        if (rest.size() < length + 2) return state::partial;
        // Redis does not look; but there the client's and our idea of the lengths differ.
        if (rest.substr(length, 2) != "\r\n") return bad("expected the end of a bulk");
        words.push_back(rest.substr(0, length));
        bytes += length + 2;
        return state::whole;
    }

    std::string_view input_;
};

class answer {
public:
    void simple(std::string_view text) { append("+", text); }
    void error(std::string_view text) { append("-ERR ", text); }
    void number(std::int64_t value) { append(":", std::to_string(value)); }
    void array(std::size_t count) { append("*", std::to_string(count)); }
    void none() { text_ += "$-1\r\n"; }
    void bulk(std::string_view text) {
        append("$", std::to_string(text.size()));
        text_ += text;
        text_ += "\r\n";
    }
    [[nodiscard]] std::string_view text() const { return text_; }
    void clear() { text_.clear(); }

private:
    void append(std::string_view kind, std::string_view text) {
        text_ += kind;
        text_ += text;
        text_ += "\r\n";
    }
    std::string text_;
};

}  // namespace kv
