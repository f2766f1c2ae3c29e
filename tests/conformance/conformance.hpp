// SPDX-License-Identifier: MIT
// conformance.hpp - a test that runs once on every backend, and carries its name.
//
//     class recv_test : public backend_test {};
//     INSTANTIATE_TEST_SUITE_P(backend, recv_test, every_backend(), backend_name);
//     TEST_P(recv_test, waits_for_bytes_that_come_later) { ... }
//
// A backend that cannot be set up on this machine is skipped with the reason, never passed. What a
// backend says it lacks (probe()) must fail as documented: ask can() and expect the error.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backends.hpp"
#include "ioring/error.hpp"
#include "ioring/ring.hpp"
#include "plain.hpp"
#include "sockets.hpp"

namespace ioring::conformance {

using namespace std::chrono_literals;

class backend_test : public testing::TestWithParam<std::string> {
protected:
    // Makes ring_ as options() says, or skips.
    void SetUp() override;
    [[nodiscard]] virtual ring_options options() const {
        return {.sq_entries = 64, .connections_max = 64};
    }
    // One more ring on the same backend; not valid() when that failed, and so has the test.
    [[nodiscard]] ring another_ring() const;

    [[nodiscard]] bool can(feature which) const { return ring_.probe().has(which); }
    [[nodiscard]] bool can(opcode op) const { return ring_.probe().supports(op); }
    // Whether the kernel's io_uring does the work, older or not. For allowed differences only.
    [[nodiscard]] static bool is_uring() { return GetParam().starts_with("uring"); }
    // The same of a kernel before Linux 6.10, which does some things in its own way (D23 to D26).
    [[nodiscard]] bool is_older_uring() const { return is_uring() && !can(feature::bundles); }
    // Whether completion ports of Windows do the work. For allowed differences only.
    [[nodiscard]] static bool is_winsock() {
        return GetParam() == "iocp" || GetParam().starts_with("rio");
    }
    // Whether events come late, in pieces and in any order there, on purpose.
    [[nodiscard]] static bool is_faulty() { return GetParam().ends_with("_faulty"); }

    // A zeroed SQE; submits what is prepared when the queue is full.
    [[nodiscard]] sqe& next_sqe();

    // Submits, and reads completions until there are `count`.
    [[nodiscard]] std::vector<cqe> complete(std::size_t count);
    [[nodiscard]] cqe complete_one();
    // As above, when it is known to be the one of `user_data`.
    [[nodiscard]] cqe complete_one(std::uint64_t user_data);
    // Submits, and goes round the backend twice: nothing completes but a nop each time. An
    // operation that is not parked by then would have shown up.
    void expect_nothing();
    // What has completed and was not read yet, without waiting.
    [[nodiscard]] std::vector<cqe> take_ready();

    // Prepares `entry` and reads its one completion.
    cqe run(const sqe& entry);
    // The same for the common operations, by their prep_*.
    int recv(const socket_end& at, std::span<std::byte> buffer, std::uint32_t msg_flags = 0);
    int send(const socket_end& from, std::string_view bytes,
             std::uint32_t msg_flags = msg_flag::no_signal);

    ring ring_;
};

// The names under test, or the one that gtest's filter ends in: asked for one test on one backend,
// as ctest does, the others need not even be looked at.
[[nodiscard]] std::vector<std::string> names_asked_for();
inline auto every_backend() { return testing::ValuesIn(names_asked_for()); }

inline std::string backend_name(const testing::TestParamInfo<std::string>& info) {
    return info.param;
}

// The one of `all` with this user_data; a failed test when there is none or more than one.
[[nodiscard]] cqe with_user_data(const std::vector<cqe>& all, std::uint64_t user_data);

[[nodiscard]] inline std::span<std::byte> bytes_of(std::string& text) {
    return std::as_writable_bytes(std::span{text.data(), text.size()});
}
[[nodiscard]] inline std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span{text.data(), text.size()});
}
// The first `count` bytes of a buffer as text.
[[nodiscard]] inline std::string text(std::span<const std::byte> buffer, std::size_t count) {
    return {reinterpret_cast<const char*>(buffer.data()), std::min(count, buffer.size())};
}

}  // namespace ioring::conformance
