// SPDX-License-Identifier: MIT
// errors.cpp - errors as negative numbers, and their words.
#include <algorithm>
#include <array>

#include "base/error_words.hpp"
#include "capi/handles.hpp"
#include "ioring/version.hpp"

namespace ioring::capi {

int result_of(const std::error_code& error) noexcept {
    if (!error) return 0;
    const std::error_condition condition = error.default_error_condition();
    if (condition.category() == std::generic_category() && condition.value() > 0) {
        return -condition.value();
    }
    // A name that does not resolve has no errno.
    return error.category() == resolve_category() ? -ENOENT : -EIO;
}

void copy_text(std::string_view text, char* out, std::size_t bytes) noexcept {
    if (out == nullptr || bytes == 0) return;
    const std::size_t count = std::min(text.size(), bytes - 1);
    std::copy_n(text.data(), count, out);
    out[count] = '\0';
}

}  // namespace ioring::capi

namespace {

void copy_message(int number, std::array<char, 128>& out) {
    const std::string message = ioring::detail::error_words(number);
    ioring::capi::copy_text(message, out.data(), out.size());
}

}  // namespace

extern "C" {

std::uint32_t ioring_version() {
    return (ioring::version_major << 16U) | (ioring::version_minor << 8U) | ioring::version_patch;
}

const char* ioring_version_string() { return ioring::version_string.data(); }

const char* ioring_strerror(int error) {
    thread_local std::array<char, 128> words;
    if (error >= 0) return "no error";
#if defined(__cpp_exceptions)
    try {
        copy_message(-error, words);
    } catch (...) {
        return "no memory for the words";
    }
#else
    copy_message(-error, words);
#endif
    return words.data();
}

}  // extern "C"
