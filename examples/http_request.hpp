// SPDX-License-Identifier: MIT
// http_request.hpp - HTTP/1.1 requests: a head read where it was received, a body as it comes.
//
// All that knows the parser, Debian's http_parser, which nobody maintains any more and which is
// built without its strict mode. So it sees heads only, whole and once: read_head() checks the
// framing (line ends, folded lines, lengths, codings) before and after it, and bodies are read
// here. tests/fuzz/http_request_fuzz.cpp feeds it whatever there is.
//
// Nothing here allocates, throws or calls the system.
#pragma once

#include <http_parser.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace http {

constexpr std::size_t head_bytes_max = 8192;
constexpr std::size_t fields_max = 64;
constexpr std::size_t chunk_line_bytes_max = 256;  // A chunk's length and its extensions.
constexpr std::size_t trailer_bytes_max = 4096;    // All lines behind the last chunk.

enum class outcome : std::uint8_t { partial, whole, bad };

struct progress {
    outcome what = outcome::partial;
    std::uint16_t status = 0;  // Of `bad`: the answer that it deserves.
    std::size_t bytes = 0;     // Of the input, that are done with. Of a head, none until `whole`.
};

[[nodiscard]] inline bool same_word(std::string_view left, std::string_view right) {
    const auto lower = [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
    };
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [&](char one, char other) { return lower(one) == lower(other); });
}

// Its texts are parts of the input that it was read from, or constants.
struct head {
    struct field {
        std::string_view name;
        std::string_view value;
    };

    std::string_view method;
    std::string_view target;
    std::string_view path;  // Of the target, without query and host; not decoded. "*" is one, too.
    bool is_1_0 = false;
    bool keep_alive = false;
    bool expects_continue = false;
    bool is_chunked = false;
    std::uint64_t body_bytes = 0;  // Unless it is chunked.

    [[nodiscard]] bool has_body() const { return is_chunked || body_bytes != 0; }
    [[nodiscard]] std::span<const field> fields() const {
        return {field_table.data(), field_count};
    }

    std::array<field, fields_max> field_table;
    std::size_t field_count = 0;
};

namespace detail {

struct reading {
    head* into = nullptr;
    bool value_came = true;  // The next piece of a name begins a field.
    bool too_many = false;
};

// The pieces of one text lie side by side, for the head is parsed in one go.
inline void extend(std::string_view& text, const char* piece, std::size_t bytes) {
    text = text.empty() ? std::string_view{piece, bytes}
                        : std::string_view{text.data(), text.size() + bytes};
}

inline reading& reading_of(http_parser* parser) { return *static_cast<reading*>(parser->data); }

inline int on_target(http_parser* parser, const char* piece, std::size_t bytes) {
    extend(reading_of(parser).into->target, piece, bytes);
    return 0;
}

inline int on_name(http_parser* parser, const char* piece, std::size_t bytes) {
    reading& now = reading_of(parser);
    if (now.value_came) {
        if (now.into->field_count == fields_max) {
            now.too_many = true;
            return 1;
        }
        now.into->field_table[now.into->field_count++] = {};
        now.value_came = false;
    }
    extend(now.into->field_table[now.into->field_count - 1].name, piece, bytes);
    return 0;
}

inline int on_value(http_parser* parser, const char* piece, std::size_t bytes) {
    reading& now = reading_of(parser);
    now.value_came = true;
    extend(now.into->field_table[now.into->field_count - 1].value, piece, bytes);
    return 0;
}

[[nodiscard]] inline bool is_token(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char letter) {
        const auto code = static_cast<unsigned char>(letter);
        return code > 32 && code < 127 &&
               std::string_view{"\"(),/:;<=>?@[\\]{}"}.find(letter) == std::string_view::npos;
    });
}

[[nodiscard]] inline bool is_number(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(),
                                        [](char digit) { return digit >= '0' && digit <= '9'; });
}

// What the parser does not mind and a server should. Returns the status, 0 for none.
[[nodiscard]] inline std::uint16_t check_fields(head& out) {
    int hosts = 0;
    int lengths = 0;
    int codings = 0;
    for (const head::field& each : out.fields()) {
        if (!is_token(each.name)) return 400;
        if (same_word(each.name, "host")) ++hosts;
        if (same_word(each.name, "content-length")) {
            ++lengths;
            if (!is_number(each.value)) return 400;
        }
        if (same_word(each.name, "transfer-encoding")) {
            ++codings;
            if (!same_word(each.value, "chunked")) return 501;
        }
        if (same_word(each.name, "expect")) {
            if (!same_word(each.value, "100-continue")) return 417;
            out.expects_continue = true;
        }
    }
    if (hosts > 1 || (hosts == 0 && !out.is_1_0)) return 400;
    if (lengths > 1 || codings > 1 || lengths + codings > 1) return 400;
    if (codings == 1 && out.is_1_0) return 400;
    out.is_chunked = codings == 1;
    return 0;
}

[[nodiscard]] inline std::uint16_t status_of(const http_parser& parser, std::string_view input) {
    switch (static_cast<http_errno>(parser.http_errno)) {
        case HPE_HEADER_OVERFLOW: return 431;
        case HPE_INVALID_TRANSFER_ENCODING: return 501;
        case HPE_INVALID_METHOD: {
            const std::string_view word = input.substr(0, input.find(' '));
            const bool is_word =
                word.size() < 32 && std::all_of(word.begin(), word.end(), [](char letter) {
                    return (letter >= 'A' && letter <= 'Z') || letter == '-' || letter == '_';
                });
            return is_word && !word.empty() ? 501 : 400;
        }
        default: return 400;
    }
}

// `input` is a whole head and nothing else.
[[nodiscard]] inline std::uint16_t parse_head(std::string_view input, head& out) {
    static const http_parser_settings settings = [] {
        http_parser_settings made;
        http_parser_settings_init(&made);
        made.on_url = on_target;
        made.on_header_field = on_name;
        made.on_header_value = on_value;
        return made;
    }();
    out.field_count = 0;  // The rest of the table need not be cleared.
    out.target = {};
    out.expects_continue = false;
    http_parser parser;
    http_parser_init(&parser, HTTP_REQUEST);
    reading now{.into = &out};
    parser.data = &now;
    const std::size_t parsed = http_parser_execute(&parser, &settings, input.data(), input.size());
    if (now.too_many) return 431;
    // CONNECT ends where a tunnel would begin.
    if (parser.http_errno == HPE_OK && parser.method == HTTP_CONNECT) return 501;
    if (parser.http_errno != HPE_OK) return status_of(parser, input);
    if (parsed != input.size()) return 400;
    if (parser.http_major != 1) return 505;

    out.method = http_method_str(static_cast<http_method>(parser.method));
    out.is_1_0 = parser.http_minor == 0;
    out.keep_alive = http_should_keep_alive(&parser) != 0;
    if (const std::uint16_t status = check_fields(out)) return status;
    out.body_bytes = 0;
    for (const head::field& each : out.fields()) {
        if (!same_word(each.name, "content-length")) continue;
        for (const char digit : each.value) {
            if (out.body_bytes > (UINT64_MAX >> 5U)) return 413;
            out.body_bytes = out.body_bytes * 10 + static_cast<std::uint64_t>(digit - '0');
        }
    }

    http_parser_url url;
    http_parser_url_init(&url);
    if (out.target == "*") {
        out.path = out.target;
    } else if (http_parser_parse_url(out.target.data(), out.target.size(), /*is_connect=*/0,
                                     &url) != 0) {
        return 400;
    } else if ((url.field_set & (1U << UF_PATH)) != 0) {
        out.path = out.target.substr(url.field_data[UF_PATH].off, url.field_data[UF_PATH].len);
    } else {
        out.path = "/";
    }
    return 0;
}

}  // namespace detail

// Finds the end of a head that comes in pieces, looking at each byte once.
class head_reader {
public:
    // `input` begins with the head and goes on from call to call; it may hold more behind it. After
    // `whole`, `out` is good as long as the input stays where it is, and the next head is awaited.
    // Empty lines before a head are `partial` with bytes that are done with.
    [[nodiscard]] progress read(std::string_view input, head& out) {
        if (input.substr(0, 2) == "\r\n") {
            seen_ = 0;
            return {.bytes = 2};
        }
        const std::string_view within = input.substr(0, head_bytes_max);
        for (; seen_ < within.size(); ++seen_) {
            if (!is_well_placed(within, seen_)) return bad(400);
            if (within[seen_] != '\n' || seen_ < 3 || within[seen_ - 2] != '\n') continue;
            const std::string_view whole = within.substr(0, seen_ + 1);
            seen_ = 0;
            if (const std::uint16_t status = detail::parse_head(whole, out)) return bad(status);
            return {.what = outcome::whole, .bytes = whole.size()};
        }
        if (within.size() < head_bytes_max) return {};
        return bad(within.find('\n') == std::string_view::npos ? 414 : 431);
    }

private:
    [[nodiscard]] static progress bad(std::uint16_t status) {
        return {.what = outcome::bad, .status = status};
    }

    // CR and LF come together or not at all, no line is the continuation of the one before, and
    // there are no other control characters but tabs.
    [[nodiscard]] static bool is_well_placed(std::string_view text, std::size_t at) {
        const auto letter = static_cast<unsigned char>(text[at]);
        const char before = at == 0 ? '\n' : text[at - 1];
        if ((letter == '\n') != (before == '\r')) return false;
        if (before == '\n' && (letter == ' ' || letter == '\t')) return false;
        return letter >= 32 ? letter != 127 : letter == '\n' || letter == '\r' || letter == '\t';
    }

    std::size_t seen_ = 0;
};

// A body of a known length, or in chunks.
class body_reader {
public:
    // A body of more than `bytes_max` is bad (413) as soon as that is known.
    void begin(const head& of, std::uint64_t bytes_max) {
        left_ = of.is_chunked ? 0 : of.body_bytes;
        room_ = bytes_max;
        at_ = of.is_chunked ? place::first_digit : place::plain;
        line_ = 0;
    }
    // Gives `sink` (std::string_view) the bytes that are the body's, in pieces. Never `bytes`
    // beyond the body's end.
    template <typename Sink>
    [[nodiscard]] progress read(std::string_view input, Sink&& sink) {
        if (at_ == place::plain && left_ > room_) {
            return {.what = outcome::bad, .status = 413};
        }
        std::size_t at = 0;
        while (at_ != place::end) {
            if (at_ == place::plain || at_ == place::data) {
                const std::size_t bytes =
                    static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - at));
                if (bytes != 0) sink(input.substr(at, bytes));
                at += bytes;
                took(bytes);
                if (left_ != 0) return {.bytes = at};
                at_ = at_ == place::plain ? place::end : place::data_cr;
                continue;
            }
            if (at == input.size()) return {.bytes = at};
            const std::uint16_t status = step(input[at++]);
            if (status != 0) return {.what = outcome::bad, .status = status, .bytes = at};
        }
        return {.what = outcome::whole, .bytes = at};
    }

    // For who moves the bytes by itself: how many come next that are all the body's.
    [[nodiscard]] std::uint64_t left() const { return left_; }
    // Precondition: no more than left(), and not chunked.
    void took(std::uint64_t bytes) {
        left_ -= bytes;
        room_ -= bytes;
    }

private:
    enum class place : std::uint8_t {
        plain,
        first_digit,
        digits,
        extension,
        size_lf,
        data,
        data_cr,
        data_lf,
        trailer_first,
        trailer_name,
        trailer_value,
        trailer_lf,
        end_lf,
        end,
    };

    static constexpr int no_digit = -1;
    [[nodiscard]] static int digit_of(char letter) {
        if (letter >= '0' && letter <= '9') return letter - '0';
        if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
        if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
        return no_digit;
    }
    [[nodiscard]] static bool is_text(char letter) {
        const auto code = static_cast<unsigned char>(letter);
        return (code >= 32 && code != 127) || letter == '\t';
    }

    [[nodiscard]] std::uint16_t digit(char letter) {
        const int value = digit_of(letter);
        if (value == no_digit) return 400;
        if (left_ > (UINT64_MAX >> 8U)) return 413;
        left_ = left_ * 16 + static_cast<std::uint64_t>(value);
        at_ = place::digits;
        return 0;
    }

    // What frames the chunks, byte by byte. Returns the status of what is bad, or 0.
    [[nodiscard]] std::uint16_t step(char letter) {
        ++line_;
        switch (at_) {
            case place::first_digit:
                left_ = 0;
                line_ = 1;
                return digit(letter);
            case place::digits:
                if (line_ > chunk_line_bytes_max) return 400;
                if (letter == '\r') return go(place::size_lf);
                if (letter == ';' || letter == ' ') return go(place::extension);
                return digit(letter);
            case place::extension:
                if (line_ > chunk_line_bytes_max) return 400;
                if (letter == '\r') return go(place::size_lf);
                return is_text(letter) ? 0 : 400;
            case place::size_lf:
                if (letter != '\n') return 400;
                if (left_ > room_) return 413;
                line_ = 0;
                return go(left_ != 0 ? place::data : place::trailer_first);
            case place::data_cr: return letter == '\r' ? go(place::data_lf) : 400;
            case place::data_lf: return letter == '\n' ? go(place::first_digit) : 400;
            case place::trailer_first:
                if (letter == '\r') return go(place::end_lf);
                [[fallthrough]];
            case place::trailer_name:
                if (line_ > trailer_bytes_max) return 431;
                if (letter == ':' && at_ == place::trailer_name) return go(place::trailer_value);
                return detail::is_token({&letter, 1}) ? go(place::trailer_name) : 400;
            case place::trailer_value:
                if (line_ > trailer_bytes_max) return 431;
                if (letter == '\r') return go(place::trailer_lf);
                return is_text(letter) ? 0 : 400;
            case place::trailer_lf: return letter == '\n' ? go(place::trailer_first) : 400;
            case place::end_lf: return letter == '\n' ? go(place::end) : 400;
            case place::plain:
            case place::data:
            case place::end: break;
        }
        assert(false && "these are no framing");
        return 400;
    }
    [[nodiscard]] std::uint16_t go(place next) {
        at_ = next;
        return 0;
    }

    std::uint64_t left_ = 0;  // Of the body, or of the chunk.
    std::uint64_t room_ = 0;  // Of the whole body, up to its limit.
    std::size_t line_ = 0;    // Bytes of the line, or of all trailers, so far.
    place at_ = place::end;
};

}  // namespace http
