// SPDX-License-Identifier: MIT
// table.hpp - rows of text in aligned columns.
#pragma once

#include <string>
#include <vector>

namespace ioring::tools {

// The first column is aligned left, the others right: names, then numbers.
class table {
public:
    explicit table(std::vector<std::string> header) : rows_{std::move(header)} {}

    // Missing cells are empty; more cells than the header has are a bug.
    void add(std::vector<std::string> row);
    // All lines, each ended; columns are two blanks apart, a line has no blanks at its end.
    [[nodiscard]] std::string text() const;

private:
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace ioring::tools
