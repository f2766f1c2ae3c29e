// SPDX-License-Identifier: MIT
// table.cpp - rows of text in aligned columns.
#include "common/table.hpp"

#include <algorithm>
#include <cassert>

#include <fmt/core.h>

namespace ioring::tools {

void table::add(std::vector<std::string> row) {
    assert(row.size() <= rows_.front().size());
    row.resize(rows_.front().size());
    rows_.push_back(std::move(row));
}

std::string table::text() const {
    std::vector<std::size_t> widths(rows_.front().size());
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string out;
    for (const auto& row : rows_) {
        std::string line = fmt::format("{:<{}}", row.front(), widths.front());
        for (std::size_t i = 1; i < row.size(); ++i) {
            line += fmt::format("  {:>{}}", row[i], widths[i]);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + '\n';
    }
    return out;
}

}  // namespace ioring::tools
