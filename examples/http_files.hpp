// SPDX-License-Identifier: MIT
// http_files.hpp - files of a folder, and of nowhere else, by the path of a request.
//
// They are opened component by component, none of them a symbolic link or "..".
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "http_request.hpp"

namespace http {

class file {
public:
    file() = default;
    explicit file(int number) : number_{number} {}
    file(file&& other) noexcept : number_{std::exchange(other.number_, -1)} {}
    file& operator=(file&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~file() {
        if (number_ >= 0) ::close(number_);
    }
    [[nodiscard]] int number() const { return number_; }
    explicit operator bool() const { return number_ >= 0; }

private:
    int number_ = -1;
};

struct found {
    int status = 404;  // 200, 301 (a folder, asked for without its slash), 403 or 404.
    file opened{};
    std::uint64_t bytes = 0;
    std::string_view type{};
    std::array<char, 40> tag_text{};
    std::size_t tag_bytes = 0;

    // Its entity tag, in quotes: another one once the file has been written to.
    [[nodiscard]] std::string_view tag() const { return {tag_text.data(), tag_bytes}; }
};

// Systems call the member differently.
template <typename Facts>
[[nodiscard]] std::uint64_t changed_ns(const Facts& of) {
    const auto in_ns = [](const auto& time) {
        return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
               static_cast<std::uint64_t>(time.tv_nsec);
    };
    if constexpr (requires { of.st_mtim; }) {
        return in_ns(of.st_mtim);
    } else {
        return in_ns(of.st_mtimespec);
    }
}

// "%2e" becomes "."; nothing when it is none, or hides a slash or a zero.
[[nodiscard]] inline bool decode(std::string_view text, std::string& out) {
    out.clear();
    for (std::size_t at = 0; at < text.size(); ++at) {
        char letter = text[at];
        if (letter == '%') {
            unsigned code = 0;
            const char* const first = text.data() + at + 1;
            if (at + 2 >= text.size()) return false;
            if (std::from_chars(first, first + 2, code, 16).ptr != first + 2) return false;
            letter = static_cast<char>(code);
            at += 2;
        }
        if (letter == '\0' || letter == '/') return false;
        out += letter;
    }
    return true;
}

[[nodiscard]] inline std::string_view type_of(std::string_view name) {
    static constexpr std::pair<std::string_view, std::string_view> types[]{
        {".html", "text/html; charset=utf-8"},
        {".css", "text/css"},
        {".js", "text/javascript"},
        {".json", "application/json"},
        {".txt", "text/plain; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".gif", "image/gif"},
        {".ico", "image/x-icon"},
        {".wasm", "application/wasm"},
        {".pdf", "application/pdf"},
    };
    const std::string_view ending = name.substr(std::min(name.rfind('.'), name.size()));
    for (const auto& [each, type] : types) {
        if (same_word(each, ending)) return type;
    }
    return "application/octet-stream";
}

class folder {
public:
    explicit folder(const char* path) : root_{::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)} {}
    explicit operator bool() const { return static_cast<bool>(root_); }

    // Of a path that begins with a slash.
    found find(std::string_view path) {
        found result;
        file at;
        std::size_t begin = 1;
        for (bool is_last = false; !is_last;) {
            const std::size_t end = std::min(path.find('/', begin), path.size());
            is_last = end == path.size();
            if (!decode(path.substr(begin, end - begin), name_)) return result;
            begin = end + 1;
            if (name_.empty() && is_last) name_ = "index.html";
            if (name_.empty() || name_ == ".") continue;
            if (name_ == "..") return result;
            const int from = at ? at.number() : root_.number();
            // Not blocking, for it could be a pipe.
            const int kind = is_last ? O_NONBLOCK : O_DIRECTORY;
            file next{::openat(from, name_.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | kind)};
            if (!next) {
                if (errno == EACCES) result.status = 403;
                return result;
            }
            at = std::move(next);
        }
        struct stat facts {};
        if (!at || ::fstat(at.number(), &facts) != 0) return result;
        if (S_ISDIR(facts.st_mode)) {
            result.status = 301;
        } else if (S_ISREG(facts.st_mode)) {
            result.status = 200;
            result.bytes = static_cast<std::uint64_t>(facts.st_size);
            result.type = type_of(name_);
            write_tag(result, changed_ns(facts));
            result.opened = std::move(at);
        }
        return result;
    }

private:
    static void write_tag(found& of, std::uint64_t changed) {
        char* const end = of.tag_text.data() + of.tag_text.size();  // There is room.
        char* at = of.tag_text.data();
        *at++ = '"';
        at = std::to_chars(at, end, changed, 16).ptr;
        *at++ = '-';
        at = std::to_chars(at, end, of.bytes, 16).ptr;
        *at++ = '"';
        of.tag_bytes = static_cast<std::size_t>(at - of.tag_text.data());
    }

    file root_;
    std::string name_;
};

}  // namespace http
