// SPDX-License-Identifier: MIT
// sqe_machine_test.cpp - the fuzzer's machine on inputs of fixed seeds: no input crashes, hangs or
// loses a completion.
#include "fuzz/sqe_machine.hpp"

#include <gtest/gtest.h>

#include "fuzz/sqe_inputs.hpp"

namespace ioring::fuzz {
namespace {

constexpr std::uint32_t inputs = 1500;

void run_all(std::string_view backend) {
    for (std::uint64_t seed = 1; seed <= inputs; ++seed) {
        SCOPED_TRACE(seed);
        sqe_machine::run(backend, nearly_right_input(seed));
    }
}

TEST(sqe_machine, entries_of_any_bytes_end_on_epoll) { run_all("epoll"); }
TEST(sqe_machine, entries_of_any_bytes_end_on_poll) { run_all("poll"); }

}  // namespace
}  // namespace ioring::fuzz
