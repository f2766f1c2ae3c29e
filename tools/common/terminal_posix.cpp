// SPDX-License-Identifier: MIT
// terminal_posix.cpp - isatty and the terminal's width.
#include "common/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

namespace ioring::tools {

bool is_terminal(std::FILE* stream) noexcept { return isatty(fileno(stream)) == 1; }

std::size_t terminal_columns(std::FILE* stream) noexcept {
    winsize size{};
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
}

}  // namespace ioring::tools
