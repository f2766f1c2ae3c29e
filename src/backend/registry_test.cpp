// SPDX-License-Identifier: MIT
// registry_test.cpp - which backend is chosen, and what is said about it.
#include "backend/registry.hpp"

#include <gtest/gtest.h>

#include "backend/backend_test_support.hpp"

namespace ioring::backends {
namespace {

constexpr backend_options small_queues{.sq_entries = 8, .cq_entries = 16};

TEST(registry_test, names_are_unique_and_null_is_never_automatic) {
    bool null_seen = false;
    for (const backend_entry& each : all()) {
        int same = 0;
        for (const backend_entry& other : all()) same += each.name == other.name ? 1 : 0;
        EXPECT_EQ(1, same) << each.name;
        if (each.name != "null") continue;
        null_seen = true;
        EXPECT_FALSE(each.automatic);
    }
    EXPECT_TRUE(null_seen);
}

TEST(registry_test, every_backend_set_up_by_name_carries_a_nop) {
    for (const backend_entry& each : all()) {
        chosen_backend chosen;
        std::string why;
        const std::error_code error = choose(each.name, small_queues, chosen, why);
        // Not every Windows has Registered I/O.
        if (each.name == "rio" && error == std::errc::not_supported) continue;
        ASSERT_FALSE(error) << why;
        EXPECT_EQ(each.name, chosen.name);
        EXPECT_EQ("asked for by name", chosen.reason);
        EXPECT_FALSE(chosen.instance->description().empty());
        program ring{std::move(chosen.instance)};
        ring.expect_nop_round_trip();
    }
}

TEST(registry_test, an_unknown_name_is_an_error_that_lists_the_known_ones) {
    chosen_backend chosen;
    std::string why;
    for (const std::string_view name : {"", "io_uring", "Null", "automatic "}) {
        EXPECT_EQ(std::errc::invalid_argument, choose(name, small_queues, chosen, why));
        EXPECT_EQ(nullptr, chosen.instance);
        EXPECT_NE(std::string::npos, why.find("\"" + std::string{name} + "\"")) << why;
        for (const backend_entry& each : all()) {
            EXPECT_NE(std::string::npos, why.find(each.name)) << why;
        }
        EXPECT_NE(std::string::npos, why.find("automatic")) << why;
    }
}

}  // namespace
}  // namespace ioring::backends
