// SPDX-License-Identifier: MIT
// text.hpp - the sentences that travel beside error codes.
//
// A text is worth nothing to a program that runs out of memory while it is made: it is then left
// out, and the code is returned all the same.
#pragma once

#include <algorithm>
#include <cerrno>
#include <concepts>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace ioring::platform {

// An errno value as the code that goes with the texts.
[[nodiscard]] inline std::error_code errno_code(int error) noexcept {
    return {error, std::generic_category()};
}

// Calls `work`, which allocates; false when there was no memory for it. (Without exceptions there
// is no coming back from that: the process ends.)
template <typename Work>
[[nodiscard]] bool with_memory(Work&& work) noexcept {
#if defined(__cpp_exceptions)
    try {
        std::forward<Work>(work)();
    } catch (...) {
        return false;
    }
#else
    std::forward<Work>(work)();
#endif
    return true;
}

// ASCII only, whatever the locale.
[[nodiscard]] constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
[[nodiscard]] constexpr bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
[[nodiscard]] constexpr bool only_digits(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

// `text` in double quotes, what cannot be printed as \xNN, and cut where it is very long.
[[nodiscard]] std::string in_quotes(std::string_view text);

// What the system calls the error, beginning with a small letter.
[[nodiscard]] std::string error_name(int error);

// What to do about an error that has the same cause wherever it comes from, as the end of a
// sentence that begins with "; "; empty for other errors.
[[nodiscard]] std::string advice_on(int error);

namespace detail {
inline void append(std::string& text, std::string_view part) { text += part; }
inline void append(std::string& text, char part) { text += part; }
template <std::integral Number>
void append(std::string& text, Number part) {
    text += std::to_string(part);
}
// A part that is made only when a text is wanted.
template <std::invocable Maker>
void append(std::string& text, Maker&& make) {
    text += make();
}
}  // namespace detail

// Makes `*why`, unless it is nullptr, the parts one after the other: texts, whole numbers, and
// functions that return a text.
template <typename... Parts>
void explain(std::string* why, Parts&&... parts) noexcept {
    if (why == nullptr) return;
    const bool made = with_memory([&] {
        std::string text;
        (detail::append(text, std::forward<Parts>(parts)), ...);
        *why = std::move(text);
    });
    if (!made) why->clear();
}

}  // namespace ioring::platform
