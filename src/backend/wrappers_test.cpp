// SPDX-License-Identifier: MIT
// wrappers_test.cpp - names with arguments: what is set up, and what is said of wrong ones.
#include "backend/wrappers.hpp"

#include <gtest/gtest.h>

#include "backend/backend_test_support.hpp"
#include "backend/choice.hpp"

namespace ioring::backends {
namespace {

constexpr backend_options small_queues{.sq_entries = 8, .cq_entries = 16};

std::string complaint(std::string_view name) {
    chosen_backend chosen;
    std::string why;
    EXPECT_EQ(std::errc::invalid_argument, choose(name, small_queues, chosen, why)) << name;
    EXPECT_EQ(nullptr, chosen.instance);
    return why;
}

TEST(wrappers_test, a_wrapper_stands_around_every_backend) {
    for (const backend_entry& each : all()) {
        chosen_backend chosen;
        std::string why;
        const std::string name = "fault:7@0:" + std::string{each.name};
        const std::error_code alone = choose(each.name, small_queues, chosen, why);
        chosen.instance.reset();
        ASSERT_EQ(alone, choose(name, small_queues, chosen, why)) << why;
        if (is_refusal(alone)) continue;
        ASSERT_FALSE(alone) << why;
        EXPECT_EQ("fault", chosen.name);
        EXPECT_EQ("asked for by name, around " + std::string{each.name}, chosen.reason);
        const std::string& description = chosen.instance->description();
        EXPECT_EQ(0U, description.find("faults of seed 7 at level 0 around ")) << description;
        program ring{std::move(chosen.instance)};
        ring.expect_nop_round_trip();
    }
}

TEST(wrappers_test, a_wrapper_may_stand_around_a_wrapper_or_the_automatic_choice) {
    for (const std::string_view name : {"fault:1@0:fault:2@0:null", "fault:1@0:automatic"}) {
        chosen_backend chosen;
        std::string why;
        ASSERT_FALSE(choose(name, small_queues, chosen, why)) << why;
        program ring{std::move(chosen.instance)};
        ring.expect_nop_round_trip();
    }
}

TEST(wrappers_test, what_is_missing_is_said_with_how_to_ask) {
    for (const wrapper_entry& each : all_wrappers()) {
        const std::string name{each.name};
        const std::string why = complaint(name);
        EXPECT_NE(std::string::npos, why.find("lacks its argument")) << why;
        EXPECT_NE(std::string::npos, why.find(each.usage)) << why;
        EXPECT_EQ(why, complaint(name + ":").replace(13 + name.size(), 1, ""));
        if (!each.has_inner) continue;
        EXPECT_NE(std::string::npos, complaint(name + ":7").find("lacks the backend inside"));
        EXPECT_NE(std::string::npos, complaint(name + ":7:").find("lacks the backend inside"));
    }
}

TEST(wrappers_test, the_inner_backend_complains_for_itself) {
    const std::string why = complaint("fault:7:nonsense");
    EXPECT_NE(std::string::npos, why.find("\"nonsense\"")) << why;
    EXPECT_NE(std::string::npos, complaint("nonsense:7:null").find("\"nonsense:7:null\""));
}

TEST(wrappers_test, a_wrong_seed_or_level_is_quoted) {
    for (const std::string argument :
         {"x", "-1", "7x", "7@", "7@4", "7@x", "@1", "18446744073709551616"}) {
        const std::string why = complaint("fault:" + argument + ":null");
        EXPECT_NE(std::string::npos, why.find("\"" + argument + "\" is no seed")) << why;
    }
}

}  // namespace
}  // namespace ioring::backends
