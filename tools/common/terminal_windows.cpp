// SPDX-License-Identifier: MIT
// terminal_windows.cpp - the console and its width.
#include "common/terminal.hpp"

#include <io.h>

#include "common/system_windows.hpp"

namespace ioring::tools {

bool is_terminal(std::FILE* stream) noexcept { return _isatty(_fileno(stream)) != 0; }

std::size_t terminal_columns(std::FILE* stream) noexcept {
    auto* const handle = reinterpret_cast<HANDLE>(_get_osfhandle(_fileno(stream)));
    CONSOLE_SCREEN_BUFFER_INFO about{};
    if (GetConsoleScreenBufferInfo(handle, &about) == 0) return 80;
    const int columns = about.srWindow.Right - about.srWindow.Left + 1;
    return columns > 0 ? static_cast<std::size_t>(columns) : 80;
}

}  // namespace ioring::tools
