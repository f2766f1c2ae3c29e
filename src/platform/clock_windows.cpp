// SPDX-License-Identifier: MIT
// clock_windows.cpp - the performance counter, which does not go back, and the system's time.
#include "platform/clock.hpp"
#include "platform/winsock_windows.hpp"

namespace ioring::platform {
namespace {

constexpr std::uint64_t second_ns = 1'000'000'000;

std::uint64_t counts_per_second() noexcept {
    static const std::uint64_t rate = [] {
        LARGE_INTEGER value{};
        ::QueryPerformanceFrequency(&value);
        return static_cast<std::uint64_t>(value.QuadPart);
    }();
    return rate;
}

}  // namespace

std::uint64_t monotonic_ns() noexcept {
    LARGE_INTEGER value{};
    ::QueryPerformanceCounter(&value);
    const auto counts = static_cast<std::uint64_t>(value.QuadPart);
    const std::uint64_t rate = counts_per_second();
    // In two parts, so that it does not overflow.
    return counts / rate * second_ns + counts % rate * second_ns / rate;
}

std::uint64_t realtime_ns() noexcept {
    FILETIME time{};
    ::GetSystemTimePreciseAsFileTime(&time);
    // Steps of 100 ns since 1601.
    constexpr std::uint64_t until_1970 = 116'444'736'000'000'000;
    const std::uint64_t steps =
        static_cast<std::uint64_t>(time.dwHighDateTime) << 32U | time.dwLowDateTime;
    return (steps - until_1970) * 100;
}

std::uint64_t boottime_ns() noexcept { return monotonic_ns(); }

}  // namespace ioring::platform
