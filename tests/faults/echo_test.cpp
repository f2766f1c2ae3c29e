// SPDX-License-Identifier: MIT
// echo_test.cpp - a correct program gets every byte back, whatever faults its backend injects.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "backend/fault/kinds.hpp"
#include "echo.hpp"

namespace ioring::faults {
namespace {

using backends::fault::kind;

constexpr std::uint64_t seeds = 25;

std::vector<std::string> backends_with_io() {
    std::vector<std::string> names;
    for (const std::string_view each : backend_names()) {
        if (each != "null") names.emplace_back(each);
    }
    return names;
}

class echo_over_faults : public testing::TestWithParam<std::string> {
protected:
    static echo_results run(std::uint64_t seed, unsigned level,
                            const std::string& inner = GetParam()) {
        const std::string name =
            "fault:" + std::to_string(seed) + "@" + std::to_string(level) + ":" + inner;
        ring made;
        std::string why;
        echo_results results;
        if (ring::create({.sq_entries = 64, .connections_max = 16, .backend = name}, made, &why)) {
            results.problem = why;
            return results;
        }
        results = echo{made, seed}.run();
        if (made.in_flight() > 1) {  // The accept may be left.
            results.problem += " " + std::to_string(made.in_flight()) + " in flight at the end";
        }
        return results;
    }
};
INSTANTIATE_TEST_SUITE_P(backend, echo_over_faults, testing::ValuesIn(backends_with_io()),
                         [](const auto& each) { return each.param; });

TEST_P(echo_over_faults, every_byte_comes_back_at_each_level_that_keeps_connections) {
    for (unsigned level = 0; level < 3; ++level) {
        for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
            SCOPED_TRACE("fault:" + std::to_string(seed) + "@" + std::to_string(level));
            const echo_results results = run(seed, level);
            ASSERT_EQ("", results.problem);
            ASSERT_EQ(echo::clients_count, results.finished);
            ASSERT_EQ(0U, results.broken);
        }
    }
}

// The inner one refuses and cuts what the outer one hands over.
TEST_P(echo_over_faults, faults_around_faults_are_survived_too) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const std::string inner = "fault:" + std::to_string(seed + 1000) + "@2:" + GetParam();
        SCOPED_TRACE(inner);
        const echo_results results = run(seed, 2, inner);
        ASSERT_EQ("", results.problem);
        ASSERT_EQ(echo::clients_count, results.finished);
    }
}

TEST_P(echo_over_faults, resets_end_connections_and_change_no_byte) {
    std::uint32_t broken = 0;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        SCOPED_TRACE("fault:" + std::to_string(seed) + "@3");
        const echo_results results = run(seed, 3);
        ASSERT_EQ("", results.problem);
        ASSERT_EQ(echo::clients_count, results.finished + results.broken);
        broken += results.broken;
    }
    EXPECT_GT(broken, 0U);
}

TEST_P(echo_over_faults, each_kind_of_fault_is_among_those_survived) {
    std::array<std::uint64_t, backends::fault::kinds_count> before{};
    const auto& tally = backends::fault::process_tally();
    for (std::size_t i = 0; i < before.size(); ++i) before[i] = tally.of(static_cast<kind>(i));
    for (std::uint64_t seed = 100; seed < 100 + seeds; ++seed) {
        const echo_results results = run(seed, 3);
        ASSERT_EQ("", results.problem) << "fault:" << seed << "@3";
    }
    for (std::size_t i = 0; i < before.size(); ++i) {
        const auto which = static_cast<kind>(i);
        // Those need a poll, or a cancel that meets a completion: fault_posix_test.cpp has them.
        if (which == kind::poll_repeated || which == kind::cancel_overtaken) continue;
        EXPECT_GT(tally.of(which), before[i]) << to_string(which);
    }
}

TEST_P(echo_over_faults, a_listener_closes_although_its_cancel_is_refused) {
    std::uint64_t refused = 0;
    const auto& tally = backends::fault::process_tally();
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        ring made;
        const std::string name = "fault:" + std::to_string(seed) + "@2:" + GetParam();
        ASSERT_FALSE(ring::create({.sq_entries = 8, .backend = name}, made));
        listener listening;
        ASSERT_FALSE(made.create_listener("127.0.0.1:0", {}, listening));
        ASSERT_NE(nullptr, made.prepare_accept_multishot(listening, 1));
        for (int attempt = 0; made.submission_queue_space() < 5 && attempt < 10; ++attempt) {
            (void)made.submit();
        }
        const std::uint64_t before = tally.of(kind::enter_refused);
        listening.close();
        refused += tally.of(kind::enter_refused) - before;
        // The accept ends: with -ECANCELED, or by a fault before that.
        bool ended = false;
        for (int attempt = 0; !ended && attempt < 100; ++attempt) {
            (void)made.submit_and_wait(1, std::chrono::milliseconds{100});
            for (const cqe& done : made.completions()) ended = ended || !done.more();
        }
        ASSERT_TRUE(ended) << name;
    }
    EXPECT_GT(refused, 0U);
}

}  // namespace
}  // namespace ioring::faults
