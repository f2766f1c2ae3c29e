// SPDX-License-Identifier: MIT
// main.cpp - `soak_churn --backend epoll --seconds 600`: connections of every manner, for long.
//
// Exit status: 0 clean, 1 not, 2 wrong arguments, 77 a backend that this machine does not have.
#include <charconv>
#include <cstdio>
#include <string_view>

#include "soak/churn.hpp"

namespace ioring::soak {
namespace {

constexpr std::string_view usage =
    "usage: soak_churn [--backend NAME] [--seconds S] [--percent OF_A_CORE] [--together N]\n"
    "         [--seed S]\n";

bool parse_number(std::string_view text, std::uint32_t least, std::uint32_t most,
                  std::uint32_t& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size() && out >= least && out <= most;
}

bool parse(int count, char** arguments, settings& out) {
    for (int index = 1; index < count; index += 2) {
        if (index + 1 == count) return false;
        const std::string_view name = arguments[index];
        const std::string_view value = arguments[index + 1];
        if (name == "--backend") {
            out.backend = value;
        } else if (name == "--seconds") {
            if (!parse_number(value, 1, 1'000'000, out.seconds)) return false;
        } else if (name == "--percent") {
            if (!parse_number(value, 1, 200, out.percent)) return false;
        } else if (name == "--together") {
            if (!parse_number(value, 1, 200, out.together)) return false;
        } else if (name != "--seed" || !parse_number(value, 0, ~0U, out.seed)) {
            return false;
        }
    }
    return true;
}

void print(const settings& with, const figures& of) {
    std::uint64_t connections = 0;
    for (std::size_t how = 0; how < manners; ++how) {
        connections += of.connections[how];
        const std::string_view name = to_string(static_cast<manner>(how));
        std::printf("  %-13.*s %8llu, %llu as it should\n", static_cast<int>(name.size()),
                    name.data(), static_cast<unsigned long long>(of.connections[how]),
                    static_cast<unsigned long long>(of.clean[how]));
    }
    std::printf(
        "%.*s: %u rounds in %.0f s, %.1f s of CPU (%.0f %% of a core): %llu connections, %.1f MiB "
        "verified, %u ends excused because the machine stood still; idle after each round with %zu "
        "descriptors; resident %zu KiB, then %zu KiB\n",
        static_cast<int>(with.backend.size()), with.backend.data(), of.rounds, of.seconds,
        of.cpu_seconds, 100 * of.cpu_seconds / of.seconds,
        static_cast<unsigned long long>(connections),
        static_cast<double>(of.bytes_verified) / (1U << 20U), of.excused, of.descriptors,
        of.resident_first_kib, of.resident_last_kib);
}

int run(const settings& with) {
    figures found;
    std::string why;
    switch (churn(with, found, why)) {
        case outcome::unavailable: std::printf("skipped: %s\n", why.c_str()); return 77;
        case outcome::broken:
            print(with, found);
            std::printf("FAILED on %.*s with seed %u: %s\n", static_cast<int>(with.backend.size()),
                        with.backend.data(), with.seed, why.c_str());
            return 1;
        case outcome::clean: print(with, found); return 0;
    }
    return 1;
}

}  // namespace
}  // namespace ioring::soak

int main(int count, char** arguments) {
    ioring::soak::settings with;
    if (!ioring::soak::parse(count, arguments, with)) {
        std::fwrite(ioring::soak::usage.data(), 1, ioring::soak::usage.size(), stderr);
        return 2;
    }
    return ioring::soak::run(with);
}
