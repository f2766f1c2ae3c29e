// SPDX-License-Identifier: MIT
// ring_presets_test.cpp - what the presets set, and that a ring of each serves everywhere.
#include "ioring/ring_presets.hpp"

#include <gtest/gtest.h>

#include "ring/ring_test_support.hpp"

namespace ioring::ring_tests {
namespace {

struct preset {
    const char* name;
    ring_options options;
};
const preset all_presets[] = {{"throughput", presets::throughput()},
                              {"latency", presets::latency()},
                              {"frugal", presets::frugal()}};

TEST(ring_presets, they_differ_from_the_defaults_in_sizes_and_in_waiting_only) {
    for (const preset& each : all_presets) {
        ring_options rest = each.options;
        const ring_options defaults;
        EXPECT_NE(to_string(defaults), to_string(rest)) << each.name;
        rest.sq_entries = defaults.sq_entries;
        rest.cq_entries = defaults.cq_entries;
        rest.connections_max = defaults.connections_max;
        rest.posts_max = defaults.posts_max;
        rest.spin = defaults.spin;
        EXPECT_EQ(to_string(defaults), to_string(rest)) << each.name;
    }
}

TEST(ring_presets, they_set_what_they_are_for) {
    const ring_options defaults;
    EXPECT_GT(presets::throughput().sq_entries, defaults.sq_entries);
    EXPECT_GE(presets::throughput().cq_entries, 4 * defaults.sq_entries);
    EXPECT_GT(presets::throughput().connections_max, defaults.connections_max);
    EXPECT_EQ(0ns, presets::throughput().spin);
    EXPECT_EQ(50us, presets::latency().spin);
    EXPECT_LT(presets::latency().sq_entries, defaults.sq_entries);
    EXPECT_EQ(0ns, presets::frugal().spin);
    const ring_options frugal = presets::frugal();
    EXPECT_LT(frugal.sq_entries * sizeof(sqe) + frugal.cq_entries * sizeof(cqe) +
                  frugal.connections_max * 12 + frugal.posts_max * 24,
              24U * 1'024);
}

// The flags of io_uring are found by trial for whatever sizes: setup_test tries the refusals.
TEST(ring_presets, a_ring_of_each_preset_has_its_queues_and_serves_on_every_backend) {
    for (const preset& each : all_presets) {
        for (const std::string_view backend : backend_names()) {
            SCOPED_TRACE(std::string{each.name} + " on " + std::string{backend});
            ring_options options = each.options;
            options.backend = backend;
            ring made;
            std::string why;
            const std::error_code error = ring::create(options, made, &why);
            if (error == std::errc::not_supported) continue;
            ASSERT_FALSE(error) << why;
            const std::uint32_t burst = options.sq_entries / 2;
            ASSERT_GE(made.submission_queue_space(), burst);
            for (std::uint32_t index = 0; index < burst; ++index) made.prepare_nop(index);
            EXPECT_EQ(burst, complete(made, burst).size());
            EXPECT_EQ(0U, made.counters().overflows);
        }
    }
}

}  // namespace
}  // namespace ioring::ring_tests
