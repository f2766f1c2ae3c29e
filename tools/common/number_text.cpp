// SPDX-License-Identifier: MIT
// number_text.cpp - numbers as people type them and like to read them.
#include "common/number_text.hpp"

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <span>

#include <fmt/core.h>

namespace ioring::tools {
namespace {

struct unit {
    std::string_view name;  // Lower case.
    std::uint64_t factor;
};

constexpr std::array<unit, 10> size_units{{{"", 1},
                                           {"b", 1},
                                           {"k", 1U << 10U},
                                           {"kb", 1U << 10U},
                                           {"kib", 1U << 10U},
                                           {"m", 1U << 20U},
                                           {"mb", 1U << 20U},
                                           {"mib", 1U << 20U},
                                           {"g", 1U << 30U},
                                           {"gib", 1U << 30U}}};
constexpr std::array<unit, 4> count_units{
    {{"", 1}, {"k", 1'000}, {"m", 1'000'000}, {"g", 1'000'000'000}}};
constexpr std::array<unit, 7> time_units{{{"", 1'000'000'000},
                                          {"ns", 1},
                                          {"us", 1'000},
                                          {"ms", 1'000'000},
                                          {"s", 1'000'000'000},
                                          {"min", 60'000'000'000},
                                          {"h", 3'600'000'000'000}}};
constexpr double duration_max_ns = 366.0 * 86'400.0 * 1e9;

bool refuse(std::string* why, std::string_view text, std::string_view reason) {
    if (why != nullptr) *why = fmt::format("`{}` {}", text, reason);
    return false;
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// Cuts `text` into its number and its unit; the unit's factor is 0 when there is no such unit.
std::uint64_t split(std::string_view text, std::span<const unit> units, std::string& number) {
    std::size_t end = 0;
    while (end < text.size() && (is_digit(text[end]) || text[end] == '.' || text[end] == ','))
        ++end;
    number.assign(text.substr(0, end));
    while (end < text.size() && text[end] == ' ') ++end;
    std::string name{text.substr(end)};
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    for (const unit& candidate : units) {
        if (candidate.name == name) return candidate.factor;
    }
    return 0;
}

// False when the commas do not stand between groups of three digits.
bool drop_commas(std::string& number) {
    if (number.find(',') == std::string::npos) return true;
    std::string digits;
    for (std::size_t i = 0; i < number.size(); ++i) {
        const bool comma_here = i != 0 && (number.size() - i) % 4 == 0;
        if ((number[i] == ',') != comma_here) return false;
        if (!comma_here) digits += number[i];
    }
    number = digits;
    return true;
}

bool parse_whole(std::string_view text, std::span<const unit> units, std::string_view expectation,
                 std::uint64_t& out, std::string* why) {
    std::string number;
    const std::uint64_t factor = split(text, units, number);
    std::uint64_t value = 0;
    if (factor == 0 || !drop_commas(number)) return refuse(why, text, expectation);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error == std::errc::result_out_of_range ||
        (error == std::errc{} && value > std::numeric_limits<std::uint64_t>::max() / factor)) {
        return refuse(why, text, "is too large");
    }
    if (error != std::errc{} || end != number.data() + number.size()) {
        return refuse(why, text, expectation);
    }
    out = value * factor;
    return true;
}

bool parse_fraction(std::string_view text, std::span<const unit> units,
                    std::string_view expectation, double& out, std::string* why) {
    std::string number;
    const std::uint64_t factor = split(text, units, number);
    double value = 0;
    if (factor == 0 || !drop_commas(number) || number.empty() || !is_digit(number.front())) {
        return refuse(why, text, expectation);
    }
    // Digits and dots only, so strtod sees no sign, exponent or locale; libc++ has no from_chars
    // here.
    char* end = nullptr;
    value = std::strtod(number.c_str(), &end) * static_cast<double>(factor);
    if (end != number.c_str() + number.size()) return refuse(why, text, expectation);
    if (!std::isfinite(value)) return refuse(why, text, "is too large");
    out = value;
    return true;
}

}  // namespace

bool parse_size(std::string_view text, std::uint64_t& out, std::string* why) {
    return parse_whole(text, size_units, "is no size: write bytes such as 64, 16k or 1m", out, why);
}

bool parse_count(std::string_view text, std::uint64_t& out, std::string* why) {
    return parse_whole(text, count_units, "is no whole number: write one such as 1000 or 10k", out,
                       why);
}

bool parse_decimal(std::string_view text, double& out, std::string* why) {
    return parse_fraction(text, count_units, "is no number: write one such as 1000, 2.5 or 10k",
                          out, why);
}

bool parse_duration(std::string_view text, std::chrono::nanoseconds& out, std::string* why) {
    double value_ns = 0;
    if (!parse_fraction(text, time_units,
                        "is no time: write seconds such as 10 or 0.5, or with a unit such as "
                        "500ms, 2s or 1min",
                        value_ns, why)) {
        return false;
    }
    if (value_ns > duration_max_ns) return refuse(why, text, "is longer than a year");
    out = std::chrono::nanoseconds{static_cast<std::int64_t>(std::llround(value_ns))};
    return true;
}

std::string with_commas(std::uint64_t value) {
    std::string text = std::to_string(value);
    for (std::size_t i = text.size(); i > 3;) {
        i -= 3;
        text.insert(i, 1, ',');
    }
    return text;
}

std::string with_commas(double value) {
    if (value >= 999.5) return with_commas(static_cast<std::uint64_t>(std::llround(value)));
    return fmt::format("{:.3g}", value);
}

std::string duration_text(std::chrono::nanoseconds value) {
    const auto ns = static_cast<double>(value.count());
    if (ns < 999.5) return fmt::format("{} ns", value.count());
    if (ns < 9'999.5e3) {
        const double us = ns / 1e3;
        const int decimals = us < 9.995 ? 2 : us < 99.95 ? 1 : 0;
        if (decimals == 0) return with_commas(std::round(us) < 1000 ? us : std::round(us)) + " us";
        return fmt::format("{:.{}f} us", us, decimals);
    }
    const bool seconds = ns >= 999.5e6;
    const double rest = seconds ? ns / 1e9 : ns / 1e6;
    const int decimals = rest < 9.995 ? 2 : rest < 99.95 ? 1 : 0;
    return fmt::format("{:.{}f} {}", rest, decimals, seconds ? "s" : "ms");
}

std::string bytes_text(std::uint64_t bytes) {
    constexpr std::array<std::string_view, 4> names{"KiB", "MiB", "GiB", "TiB"};
    if (bytes < 1024) return fmt::format("{} B", bytes);
    auto value = static_cast<double>(bytes);
    std::size_t name = 0;
    for (value /= 1024; value >= 1024 && name + 1 < names.size(); ++name) value /= 1024;
    const double rounded = std::round(value * 10) / 10;
    if (rounded == std::floor(rounded)) return fmt::format("{:.0f} {}", rounded, names[name]);
    return fmt::format("{:.1f} {}", rounded, names[name]);
}

}  // namespace ioring::tools
