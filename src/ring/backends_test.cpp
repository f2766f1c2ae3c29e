// SPDX-License-Identifier: MIT
// backends_test.cpp - every backend is examined, those that work and those that are refused.
#include "ioring/backends.hpp"

#include <gtest/gtest.h>

#include "ring/ring_test_support.hpp"

namespace ioring::ring_tests {
namespace {

TEST(examine_backends, reports_each_by_name_and_in_order) {
    const auto reports = examine_backends();
    ASSERT_EQ(backend_names().size(), reports.size());
    for (std::size_t i = 0; i < reports.size(); ++i) {
        EXPECT_EQ(backend_names()[i], reports[i].name);
        EXPECT_FALSE(reports[i].reason.empty());
        if (reports[i].error) continue;
        EXPECT_TRUE(reports[i].probe.supports(opcode::nop)) << reports[i].name;
        EXPECT_FALSE(reports[i].description.empty()) << reports[i].name;
    }
}

TEST(examine_backends, agrees_with_the_rings_that_are_made) {
    for (const backend_report& each : examine_backends()) {
        ring made;
        std::string why;
        const ring_options options{.sq_entries = 8, .connections_max = 1, .backend = each.name};
        EXPECT_EQ(each.error, ring::create(options, made, &why)) << each.name << why;
        if (each.error) {
            EXPECT_EQ(each.reason, why);
        } else {
            EXPECT_EQ(each.probe.opcodes, made.probe().opcodes) << each.name;
        }
    }
}

TEST(examine_backends, null_works_everywhere_and_is_never_automatic) {
    for (const backend_report& each : examine_backends()) {
        if (each.name != "null") continue;
        EXPECT_FALSE(each.error);
        EXPECT_FALSE(each.automatic);
        return;
    }
    FAIL() << "there is no null";
}

}  // namespace
}  // namespace ioring::ring_tests
