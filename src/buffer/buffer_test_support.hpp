// SPDX-License-Identifier: MIT
// buffer_test_support.hpp - what the tests of buffers share: connected sockets, counted mappings.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <utility>

#include "ioring/buffer_pool.hpp"
#include "ioring/endpoint.hpp"
#include "ioring/fd.hpp"
#include "ioring/ring.hpp"
#include "platform/socket.hpp"
#include "ring/ring_test_support.hpp"

namespace ioring::buffer_tests {

using ring_tests::complete;
using ring_tests::complete_one;
using ring_tests::make_ring;
using ring_tests::patience;

// Completes everything at once: for what needs no sockets.
inline ring make_null_ring() { return make_ring({.sq_entries = 64, .backend = "null"}); }

inline ring make_uring(ring_options options = {.sq_entries = 256, .connections_max = 256}) {
    options.backend = "uring";
    return make_ring(options);
}

// Both ends of a TCP connection over loopback, closed at the end.
class tcp_pair {
public:
    tcp_pair() {
        endpoint any;
        std::string why;
        EXPECT_FALSE(endpoint::parse("127.0.0.1:0", any));
        platform::native_socket listener = platform::invalid_socket;
        endpoint local;
        EXPECT_FALSE(platform::open_listener(any, {}, listener, local, &why)) << why;
        EXPECT_FALSE(platform::connect_blocking(local, patience, theirs_, &why)) << why;
        EXPECT_FALSE(platform::accept_stream(listener, ours_, nullptr));
        platform::close_socket(listener);
    }
    tcp_pair(tcp_pair&& other) noexcept
        : ours_{std::exchange(other.ours_, platform::invalid_socket)},
          theirs_{std::exchange(other.theirs_, platform::invalid_socket)} {}
    tcp_pair& operator=(tcp_pair&&) = delete;
    ~tcp_pair() {
        if (ours_ != platform::invalid_socket) platform::close_socket(ours_);
        if (theirs_ != platform::invalid_socket) platform::close_socket(theirs_);
    }

    [[nodiscard]] fd ours() const { return fd{ours_}; }
    [[nodiscard]] fd theirs() const { return fd{theirs_}; }
    void close_theirs() {
        platform::close_socket(std::exchange(theirs_, platform::invalid_socket));
    }

private:
    platform::native_socket ours_ = platform::invalid_socket;
    platform::native_socket theirs_ = platform::invalid_socket;
};

// This process's mappings of mirrored memory.
inline std::size_t mirror_mappings() {
    std::ifstream maps{"/proc/self/maps"};
    std::size_t count = 0;
    for (std::string line; std::getline(maps, line);) {
        count += line.find("ioring-mirror") != std::string::npos ? 1U : 0U;
    }
    return count;
}

// A stream of bytes that any part of can be checked: the byte at each position is known.
inline std::byte pattern_at(std::uint64_t position, std::uint64_t stream = 0) {
    std::uint64_t mixed = (position + (stream << 40U)) * 0x9e37'79b9'7f4a'7c15U;
    mixed ^= mixed >> 29U;
    return static_cast<std::byte>(mixed * 0xbf58'476d'1ce4'e5b9U >> 56U);
}

inline void write_pattern(std::span<std::byte> bytes, std::uint64_t position,
                          std::uint64_t stream = 0) {
    for (std::byte& each : bytes) each = pattern_at(position++, stream);
}

// How many of `bytes`, from the first on, are those of the stream.
inline std::size_t matching(std::span<const std::byte> bytes, std::uint64_t position,
                            std::uint64_t stream = 0) {
    std::size_t count = 0;
    while (count < bytes.size() && bytes[count] == pattern_at(position + count, stream)) ++count;
    return count;
}

}  // namespace ioring::buffer_tests
