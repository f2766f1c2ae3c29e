// SPDX-License-Identifier: MIT
// text_fields.cpp - lines, names, numbers.
#include "doctor/text_fields.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace doctor {
namespace {

// Calls `use` with each line until it returns true.
template <class Use>
void for_each_line(std::string_view text, Use use) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        if (use(text.substr(0, end))) return;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

}  // namespace

std::optional<std::int64_t> number_at(std::string_view text, int base) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return std::nullopt;
    text.remove_prefix(first);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (error != std::errc{}) return std::nullopt;
    return number;
}

std::optional<std::int64_t> field(std::string_view text, std::string_view name, int base) {
    std::optional<std::int64_t> found;
    for_each_line(text, [&](std::string_view line) {
        if (line.substr(0, name.size()) != name) return false;
        found = number_at(line.substr(name.size()), base);
        return true;
    });
    return found;
}

std::string_view cgroup_path(std::string_view text) {
    constexpr std::string_view unified = "0::";
    std::string_view found;
    for_each_line(text, [&](std::string_view line) {
        if (line.substr(0, unified.size()) != unified) return false;
        found = line.substr(unified.size());
        return true;
    });
    return found;
}

std::string_view container_in_cgroup(std::string_view text) {
    struct mark {
        std::string_view text;
        std::string_view name;
    };
    constexpr std::array marks{mark{"kubepods", "kubernetes"}, mark{"docker", "docker"},
                               mark{"libpod", "podman"}, mark{"lxc", "lxc"},
                               mark{"machine.slice", "systemd-nspawn"}};
    for (const mark& each : marks) {
        if (text.find(each.text) != std::string_view::npos) return each.name;
    }
    return "";
}

}  // namespace doctor
