// SPDX-License-Identifier: MIT
// terminal.cpp - the line that is written over and over.
#include "common/terminal.hpp"

namespace ioring::tools {

status_line::status_line(std::FILE* stream, bool enabled) noexcept
    : stream_{stream}, live_{enabled && is_terminal(stream)} {}

void status_line::show(std::string_view text) noexcept {
    if (!live_) return;
    // One column less: a full line would wrap on some terminals.
    text = text.substr(0, terminal_columns(stream_) - 1);
    const std::size_t blanks = shown_columns_ > text.size() ? shown_columns_ - text.size() : 0;
    std::fprintf(stream_, "\r%.*s%*s", static_cast<int>(text.size()), text.data(),
                 static_cast<int>(blanks), "");
    std::fflush(stream_);
    shown_columns_ = text.size();
}

void status_line::clear() noexcept {
    if (shown_columns_ == 0) return;
    std::fprintf(stream_, "\r%*s\r", static_cast<int>(shown_columns_), "");
    std::fflush(stream_);
    shown_columns_ = 0;
}

}  // namespace ioring::tools
