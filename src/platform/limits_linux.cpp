// SPDX-License-Identifier: MIT
// limits_linux.cpp - the limits that are files under /proc/sys.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>

#include "platform/limits.hpp"

namespace ioring::platform {
namespace {

// The number in a file, 0 when there is none to read.
std::uint64_t read_number(const char* path) {
    const int file = ::open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    std::array<char, 32> text{};
    const ssize_t bytes = ::read(file, text.data(), text.size());
    ::close(file);
    std::uint64_t number = 0;
    if (bytes > 0) std::from_chars(text.data(), text.data() + bytes, number);
    return number;
}

}  // namespace

std::uint64_t mapping_limit() noexcept { return read_number("/proc/sys/vm/max_map_count"); }

std::uint64_t backlog_limit() noexcept { return read_number("/proc/sys/net/core/somaxconn"); }

}  // namespace ioring::platform
