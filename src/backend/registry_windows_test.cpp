// SPDX-License-Identifier: MIT
// registry_windows_test.cpp - the choice on Windows: completion ports, or Registered I/O.
#include <gtest/gtest.h>

#include "backend/backend_test_support.hpp"
#include "backend/registry.hpp"

namespace ioring::backends {
namespace {

constexpr backend_options small_queues{.sq_entries = 8, .cq_entries = 16};

// Whether this Windows has Registered I/O; `why` it has none.
bool has_rio(std::string& why) {
    chosen_backend chosen;
    return !choose("rio", small_queues, chosen, why);
}

TEST(registry_windows_test, completion_ports_are_chosen) {
    chosen_backend chosen;
    std::string why;
    ASSERT_FALSE(choose("automatic", small_queues, chosen, why)) << why;
    EXPECT_EQ("iocp", chosen.name);
}

TEST(registry_windows_test, rio_by_name_works_or_fails_loudly_with_what_can_be_done) {
    std::string why;
    if (has_rio(why)) return;
    chosen_backend chosen;
    EXPECT_EQ(std::errc::not_supported, choose("rio", small_queues, chosen, why));
    EXPECT_EQ(nullptr, chosen.instance);
    EXPECT_NE(std::string::npos, why.find("Registered I/O")) << why;
    EXPECT_NE(std::string::npos, why.find("; ")) << why << ": and what can be done?";
}

TEST(registry_windows_test, rio_preferred_falls_back_to_completion_ports_and_keeps_the_reason) {
    std::string refusal;
    const bool works = has_rio(refusal);
    chosen_backend chosen;
    std::string why;
    ASSERT_FALSE(choose(wishes{.prefer = "rio"}, small_queues, chosen, why)) << why;
    EXPECT_EQ(works ? "rio" : "iocp", chosen.name);
    if (works) return;
    // Not what can be done: it has been.
    const std::string cause = refusal.substr(0, refusal.find("; "));
    EXPECT_NE(std::string::npos, chosen.reason.find("while rio: " + cause)) << chosen.reason;
    program ring{std::move(chosen.instance)};
    ring.expect_nop_round_trip();
}

}  // namespace
}  // namespace ioring::backends
