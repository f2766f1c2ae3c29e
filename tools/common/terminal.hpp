// SPDX-License-Identifier: MIT
// terminal.hpp - whether a person is watching, and one line that is written over and over for them.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string_view>

namespace ioring::tools {

[[nodiscard]] bool is_terminal(std::FILE* stream) noexcept;
// Columns of the terminal, 80 when it does not say.
[[nodiscard]] std::size_t terminal_columns(std::FILE* stream) noexcept;

// A live line on `stream`; writes nothing at all when that is no terminal or `enabled` is false.
class status_line {
public:
    explicit status_line(std::FILE* stream, bool enabled = true) noexcept;
    status_line(const status_line&) = delete;
    status_line& operator=(const status_line&) = delete;
    ~status_line() { clear(); }

    [[nodiscard]] bool live() const noexcept { return live_; }
    // Replaces the line; cut to the terminal's width.
    void show(std::string_view text) noexcept;
    // Takes the line away, so that ordinary output can follow.
    void clear() noexcept;

private:
    std::FILE* stream_;
    bool live_;
    std::size_t shown_columns_ = 0;
};

}  // namespace ioring::tools
