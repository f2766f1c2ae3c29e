// SPDX-License-Identifier: MIT
// differential_test.cpp - programs are what they are meant to be, and a difference is seen.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "differential/compare.hpp"
#include "differential/pair.hpp"
#include "differential/program.hpp"

namespace ioring::differential {
namespace {

constexpr std::uint64_t seeds = 500;

template <class Of>
std::size_t median(Of of) {
    std::vector<std::size_t> all;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) all.push_back(of(generate(seed)));
    std::ranges::nth_element(all, all.begin() + seeds / 2);
    return all[seeds / 2];
}

TEST(generator_test, a_seed_is_a_program) {
    const program one = generate(42);
    const program again = generate(42);
    ASSERT_EQ(one.steps.size(), again.steps.size());
    for (std::size_t index = 0; index < one.steps.size(); ++index) {
        EXPECT_EQ(one.steps[index].what, again.steps[index].what);
        EXPECT_EQ(one.steps[index].pick, again.steps[index].pick);
    }
}

TEST(generator_test, half_of_the_programs_have_30_operations_over_3_connections) {
    EXPECT_LE(30U, median([](const program& of) { return of.operations(); }));
    EXPECT_LE(3U, median([](const program& of) { return of.connections.size(); }));
}

TEST(generator_test, every_verb_comes) {
    std::set<verb> seen;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        for (const step& each : generate(seed).steps) seen.insert(each.what);
    }
    EXPECT_EQ(static_cast<std::size_t>(verb::count), seen.size());
}

trace trace_of(std::vector<event> events) {
    trace made;
    made.steps.push_back({.id = 1, .signature = 0, .first_event = 0});
    made.events = std::move(events);
    return made;
}

TEST(compare_test, the_order_of_different_operations_is_open) {
    const event one{.tag = 1, .res = 5};
    const event other{.tag = 2, .res = 6};
    EXPECT_FALSE(compare(trace_of({one, other}), trace_of({other, one})));
}

TEST(compare_test, the_order_of_one_operations_completions_is_not) {
    const event one{.tag = 1, .res = 5};
    const event other{.tag = 1, .res = 6};
    EXPECT_TRUE(compare(trace_of({one, other}), trace_of({other, one})));
}

TEST(compare_test, a_result_a_flag_a_byte_and_a_completion_count) {
    const event one{.tag = 1, .res = 5, .content = 7};
    event res = one;
    res.res = 4;
    event flags = one;
    flags.flags = cqe_flag::more;
    event content = one;
    content.content = 8;
    EXPECT_FALSE(compare(trace_of({one}), trace_of({one})));
    for (const event& each : {res, flags, content}) {
        EXPECT_TRUE(compare(trace_of({one}), trace_of({each})));
    }
    EXPECT_TRUE(compare(trace_of({one}), trace_of({one, one})));
    EXPECT_TRUE(compare(trace_of({one}), trace_of({})));
}

TEST(compare_test, which_buffer_of_a_group_was_taken_is_open) {
    const event one{.tag = 1, .res = 5, .flags = cqe_flag::buffer | 3U << cqe_flag::buffer_shift};
    const event other{.tag = 1, .res = 5, .flags = cqe_flag::buffer | 4U << cqe_flag::buffer_shift};
    EXPECT_FALSE(compare(trace_of({one}), trace_of({other})));
}

// The null backend completes everything at once, which no kernel does.
TEST(pair_test, a_backend_that_does_nothing_is_found_out_and_the_program_shrinks) {
    backend_pair pair;
    std::string why;
    if (!pair.set_up("uring", "null", why)) GTEST_SKIP() << why;
    std::uint64_t seed = 1;
    while (!pair.run(generate(seed))) ASSERT_LE(++seed, 20U);
    const program smallest = pair.shrink(generate(seed));
    EXPECT_LE(smallest.steps.size(), 6U) << "seed " << seed;
    EXPECT_NE(std::string{}, pair.explain(smallest));
}

}  // namespace
}  // namespace ioring::differential
