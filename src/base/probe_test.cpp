// SPDX-License-Identifier: MIT
// probe_test.cpp - abilities have names.
#include "ioring/probe.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace ioring {
namespace {

constexpr std::size_t features = static_cast<std::size_t>(feature::count);

TEST(probe_test, every_feature_has_a_name_of_its_own) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < features; ++i) names.insert(to_string(static_cast<feature>(i)));
    EXPECT_EQ(features, names.size());
    EXPECT_FALSE(names.contains("?"));
    EXPECT_EQ("accept_multishot", to_string(feature::accept_multishot));
    EXPECT_EQ("registered_wait", to_string(feature::registered_wait));
}

TEST(probe_test, text_lists_what_is_there) {
    probe_result probe;
    EXPECT_EQ("", to_string(probe));
    probe.features.set(static_cast<std::size_t>(feature::bundles));
    EXPECT_EQ("bundles", to_string(probe));
    probe.features.set(static_cast<std::size_t>(feature::recv_multishot));
    EXPECT_EQ("recv_multishot bundles", to_string(probe));
}

TEST(probe_test, supports_and_has_look_up_one_bit) {
    probe_result probe;
    EXPECT_FALSE(probe.supports(opcode::listen));
    probe.opcodes.set(57);
    EXPECT_TRUE(probe.supports(opcode::listen));
    EXPECT_FALSE(probe.supports(opcode::bind));
    probe.features.set(static_cast<std::size_t>(feature::msg_ring));
    EXPECT_TRUE(probe.has(feature::msg_ring));
    EXPECT_FALSE(probe.has(feature::bundles));
}

}  // namespace
}  // namespace ioring
