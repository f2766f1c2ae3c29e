// SPDX-License-Identifier: MIT
// text.cpp - quoting and naming for the texts of errors.
#include "platform/text.hpp"

#include "base/error_words.hpp"
#include "platform/limits.hpp"

namespace ioring::platform {
namespace {

// Longer texts say no more; nobody reads a line of thousands.
constexpr std::size_t quoted_bytes_max = 160;

void append_hex(std::string& text, unsigned char byte) {
    constexpr std::string_view digits = "0123456789abcdef";
    text += "\\x";
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
}

}  // namespace

std::string in_quotes(std::string_view text) {
    std::string out = "\"";
    for (const char character : text.substr(0, quoted_bytes_max)) {
        const auto byte = static_cast<unsigned char>(character);
        if (byte < 0x20 || byte >= 0x7f) {
            append_hex(out, byte);
        } else {
            if (character == '"' || character == '\\') out += '\\';
            out += character;
        }
    }
    out += '"';
    if (text.size() > quoted_bytes_max) {
        out += "... (" + std::to_string(text.size()) + " bytes)";
    }
    return out;
}

std::string error_name(int error) {
    std::string name = ioring::detail::error_words(error);
    const bool word = name.size() > 1 && name[1] >= 'a' && name[1] <= 'z';
    if (word && name[0] >= 'A' && name[0] <= 'Z') {
        name[0] = static_cast<char>(name[0] - 'A' + 'a');
    }
    return name;
}

std::string advice_on(int error) {
    switch (error) {
        case EMFILE:
            return "; this process may have " + std::to_string(descriptor_limit().soft) +
                   " descriptors open, raise it with ulimit -n";
        case ENFILE: return "; the whole system has too many files open";
        case EAFNOSUPPORT: return "; this system is set up without that family of addresses";
        default: return "";
    }
}

}  // namespace ioring::platform
