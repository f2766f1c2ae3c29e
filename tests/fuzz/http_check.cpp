// SPDX-License-Identifier: MIT
// http_check.cpp - a reader of requests beside others that must agree with it.
#include "fuzz/http_check.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "http_request.hpp"

namespace ioring::fuzz {
namespace {

constexpr std::size_t input_bytes_max = 60'000;
constexpr std::uint64_t body_bytes_max = 1U << 20U;

void demand(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "check_http: %s\n", what);
    std::abort();
}

// Copies end where nobody may read on.
std::string_view guarded(std::string_view input) {
    constexpr std::size_t room = 65'536;
    static char* const memory = [] {
        void* const made =
            ::mmap(nullptr, 2 * room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        demand(made != MAP_FAILED, "mmap");
        auto* const bytes = static_cast<char*>(made);
        demand(::mprotect(bytes + room, room, PROT_NONE) == 0, "mprotect");
        return bytes;
    }();
    char* const begin = memory + room - input.size();
    if (!input.empty()) std::memcpy(begin, input.data(), input.size());
    return {begin, input.size()};
}

std::string text_of(const http::head& of) {
    std::string text{of.method};
    (text += ' ') += of.target;
    text += of.is_1_0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n";
    for (const http::head::field& each : of.fields()) {
        ((text += each.name) += ": ") += each.value;
        text += "\r\n";
    }
    return text += "\r\n";
}

std::string words_of(const http::head& of) {
    return text_of(of) + "path " + std::string{of.path} + (of.keep_alive ? " keep" : " close") +
           (of.expects_continue ? " expects" : "") + (of.is_chunked ? " chunked " : " ") +
           std::to_string(of.body_bytes) + "\n";
}

void check_places(const http::head& of, std::string_view input) {
    const auto lies_within = [&](std::string_view part) {
        return part.empty() || (part.data() >= input.data() &&
                                part.data() + part.size() <= input.data() + input.size());
    };
    demand(lies_within(of.target), "the target is elsewhere");
    demand(lies_within(of.path) || of.path == "/", "the path is elsewhere");
    for (const http::head::field& each : of.fields()) {
        demand(lies_within(each.name) && lies_within(each.value), "a field is elsewhere");
    }
}

// Written anew it is the same request.
void check_again(const http::head& of) {
    const std::string text = text_of(of);
    if (text.size() > http::head_bytes_max) return;  // A blank behind each colon may be too much.
    http::head again;
    http::head_reader reader;
    const http::progress done = reader.read(text, again);
    demand(done.what == http::outcome::whole && done.bytes == text.size(),
           "refused when rewritten");
    demand(words_of(again) == words_of(of), "another one when rewritten");
}

// http_parser, which is lenient, must accept it and see the same body and end.
struct other_reading {
    std::string body;
    bool whole = false;
};

void check_other(std::string_view request, std::string_view body) {
    static const http_parser_settings settings = [] {
        http_parser_settings made;
        http_parser_settings_init(&made);
        made.on_body = [](http_parser* parser, const char* piece, std::size_t bytes) {
            static_cast<other_reading*>(parser->data)->body.append(piece, bytes);
            return 0;
        };
        made.on_message_complete = [](http_parser* parser) {
            static_cast<other_reading*>(parser->data)->whole = true;
            http_parser_pause(parser, 1);
            return 0;
        };
        return made;
    }();
    http_parser parser;
    http_parser_init(&parser, HTTP_REQUEST);
    other_reading seen;
    parser.data = &seen;
    const std::size_t bytes =
        http_parser_execute(&parser, &settings, request.data(), request.size());
    demand(seen.whole, "http_parser does not see its end");
    demand(bytes == request.size(), "http_parser sees another end");
    demand(seen.body == body, "http_parser sees another body");
}

// What a server reads of `input`, of which it gets pieces whose lengths `next_piece` says.
template <typename Pieces>
std::string read_all(std::string_view input, Pieces&& next_piece, bool check) {
    std::string words;
    http::head_reader heads;
    http::body_reader bodies;
    http::head head;
    bool in_body = false;
    std::size_t begin = 0;  // Of the request.
    std::size_t at = 0;
    std::size_t end = 0;
    std::string body;
    for (;;) {
        const std::string_view come = input.substr(at, end - at);
        const http::progress done =
            in_body ? bodies.read(come, [&body](std::string_view piece) { body += piece; })
                    : heads.read(come, head);
        demand(done.bytes <= come.size(), "took more than there was");
        if (done.what == http::outcome::bad) {
            demand(done.status >= 400 && done.status < 600, "bad without a status");
            return words + "bad " + std::to_string(done.status) + "\n" + body;
        }
        at += done.bytes;
        if (done.what == http::outcome::partial) {
            if (!in_body && done.bytes != 0) {  // An empty line.
                begin = at;
                continue;
            }
            if (end == input.size()) return words + "partial\n" + body;
            end = std::min(input.size(), end + next_piece());
            continue;
        }
        if (!in_body) {
            demand(done.bytes > 0, "a head of nothing");
            words += words_of(head);
            if (check) {
                check_places(head, come);
                check_again(head);
            }
            bodies.begin(head, body_bytes_max);
            in_body = true;
            body.clear();
            continue;
        }
        (words += body) += '\n';
        if (check) check_other(input.substr(begin, at - begin), body);
        body.clear();
        in_body = false;
        begin = at;
    }
}

}  // namespace

std::span<const std::string_view> http_samples() {
    static constexpr std::string_view samples[]{
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a/b.html?c=d#e HTTP/1.1\r\nHost: a:80\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        "HEAD http://a.example/x HTTP/1.1\r\nHost: a\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\r\nGET / "
        "HTTP/1.0\r\n\r\n",
        "PUT /digest HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5;a=b\r\nhello\r\n00A\r\n0123456789\r\n0\r\nX-Trailer: y\r\n\r\nGET / HTTP/1.1\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n\r\nab",
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"
        "HTTP2-Settings: AAMA\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: "
        "chunked\r\n\r\n0\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n",
        "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\nbytes",
        "\r\n\r\nBREW /pot HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/2.0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    };
    return samples;
}

std::string check_http(std::string_view input) {
    const std::string_view bytes = guarded(input.substr(0, input_bytes_max));
    constexpr bool check = true;
    const auto whole = [&bytes] { return bytes.size(); };
    const auto byte = [] { return std::size_t{1}; };
    std::string words = read_all(bytes, whole, check);
    const std::string slowly = read_all(bytes, byte, !check);
    demand(words == slowly, "byte by byte it is another");
    std::uint32_t seed = static_cast<std::uint32_t>(bytes.size()) | 1U;
    const auto some = [&seed] {
        seed = seed * 1'664'525U + 1'013'904'223U;
        return std::size_t{1} + (seed >> 27U);
    };
    demand(words == read_all(bytes, some, !check), "in pieces it is another");
    return words;
}

}  // namespace ioring::fuzz
