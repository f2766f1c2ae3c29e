// SPDX-License-Identifier: MIT
// terminal_posix.cpp - isatty and the terminal's width.
#include "common/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

namespace ioring::tools {

bool is_terminal(std::FILE* stream) noexcept { return isatty(fileno(stream)) == 1; }

std::size_t terminal_columns(std::FILE* stream) noexcept {
    winsize size{};
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
}

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
