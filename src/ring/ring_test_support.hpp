// SPDX-License-Identifier: MIT
// ring_test_support.hpp - what the ring's tests share: a ring on each backend, waits with a bound,
// pairs.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "ioring/backends.hpp"
#include "ioring/error.hpp"
#include "ioring/ring.hpp"
#include "ioring/user_data.hpp"

namespace ioring::ring_tests {

using namespace std::chrono_literals;

// No test waits longer for anything.
inline constexpr std::chrono::nanoseconds patience = 10s;

inline ring make_ring(ring_options options) {
    ring made;
    std::string why;
    const std::error_code error = ring::create(options, made, &why);
    EXPECT_FALSE(error) << why;
    return made;
}

// submit_and_wait(), begun again where the kernel has interrupted it for work of its own: the end
// of an earlier test's ring may do that (docs/contract.md, waits).
inline int wait_on(ring& of, std::uint32_t min_complete, std::chrono::nanoseconds timeout) {
    const auto end = std::chrono::steady_clock::now() + timeout;
    for (;;) {
        const int taken = of.submit_and_wait(min_complete, end - std::chrono::steady_clock::now());
        if (taken != -EINTR) return taken;
    }
}

// Reads `count` completions, waiting for each; fewer when patience ends.
inline std::vector<cqe> complete(ring& from, std::size_t count) {
    std::vector<cqe> all;
    const auto end = std::chrono::steady_clock::now() + patience;
    while (all.size() < count && std::chrono::steady_clock::now() < end) {
        if (const int taken = wait_on(from, 1, 100ms); taken < 0) {
            ADD_FAILURE() << "submit_and_wait: " << error_of(taken).message();
            break;
        }
        for (const cqe& done : from.completions()) {
            all.push_back(done);
            if (all.size() == count) break;
        }
    }
    EXPECT_EQ(count, all.size());
    return all;
}

inline cqe complete_one(ring& from) {
    const std::vector<cqe> all = complete(from, 1);
    return all.empty() ? cqe{.res = -ETIMEDOUT} : all.front();
}

// The one of `all` with this user_data.
inline cqe with_user_data(const std::vector<cqe>& all, std::uint64_t user_data) {
    for (const cqe& each : all) {
        if (each.user_data == user_data) return each;
    }
    ADD_FAILURE() << "no completion with user_data " << user_data;
    return {.res = -ENODATA};
}

// The backends that this system has. Not `rio`, which is in no Windows that runs these tests so far
// and has its conformance tests, nor those that other tests have added, such as `uring-6.5`.
inline std::vector<std::string> names_here() {
    std::vector<std::string> all;
    for (const std::string_view each : backend_names()) {
        if (each != "rio" && each.find('-') == each.npos) all.emplace_back(each);
    }
    return all;
}

// Every backend this machine should offer; the test's name carries it.
class each_backend : public testing::TestWithParam<std::string> {
protected:
    [[nodiscard]] ring make(ring_options options = {.sq_entries = 64,
                                                    .connections_max = 64}) const {
        options.backend = GetParam();
        return make_ring(options);
    }
};

inline std::string backend_of(const testing::TestParamInfo<std::string>& info) {
    return info.param;
}

inline std::span<std::byte> bytes_of(std::string& text) {
    return std::as_writable_bytes(std::span{text.data(), text.size()});
}

inline std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span{text.data(), text.size()});
}

}  // namespace ioring::ring_tests
