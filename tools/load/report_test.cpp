// SPDX-License-Identifier: MIT
// report_test.cpp - the words and fields that scripts and people rely on.
#include "report.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace load {
namespace {

settings fifty_connections() {
    settings asked;
    asked.connections = 50;
    asked.size_bytes = 64;
    asked.depth = 1;
    return asked;
}

results ten_seconds() {
    results found;
    found.messages = 3'351'204;
    found.seconds = 10;
    found.connected = 50;
    found.enters = 335'120;
    found.usage.user = std::chrono::seconds{1};
    found.usage.system = std::chrono::seconds{2};
    found.latency.record(143'000, 3'300'000);
    found.latency.record(262'000, 51'203);
    found.latency.record(927'000);
    return found;
}

TEST(report, people_get_the_promised_two_lines) {
    EXPECT_EQ("50 connections x 64 B, depth 1, closed loop, every byte verified",
              headline(fifty_connections()));
    EXPECT_EQ(
        "  3,351,204 messages  335,120/s  p50 143 us  p90 143 us  p99 262 us  p99.9 262 us  "
        "p99.99 262 us  max 927 us   0 errors\n",
        text_report(fifty_connections(), ten_seconds()));
}

TEST(report, one_is_one_and_an_open_loop_says_its_rate) {
    settings asked = fifty_connections();
    asked.connections = 1;
    asked.size_bytes = 16'384;
    asked.rate_per_second = 50'000;
    asked.depth = 100;
    EXPECT_EQ("1 connection x 16 KiB, depth up to 100, open loop at 50,000/s, every byte verified",
              headline(asked));
}

TEST(report, errors_are_counted_by_kind_and_mismatches_apart) {
    results found = ten_seconds();
    found.fail(failure::refused, "a");
    found.fail(failure::refused, "b");
    found.fail(failure::timed_out, "c");
    found.fail(failure::mismatch, "d");
    EXPECT_EQ(3U, found.errors());
    EXPECT_FALSE(found.passed());
    EXPECT_NE(std::string::npos, text_report(fifty_connections(), found)
                                     .find("   3 errors (2 refused, 1 timed out), 1 MISMATCH\n"));
    EXPECT_EQ("a\nc\nd\n1 more connection failed\n", complaints(fifty_connections(), found));
}

TEST(report, no_message_at_all_has_no_latency) {
    results found;
    found.fail(failure::refused, "a");
    EXPECT_EQ("  no message was echoed   1 error (1 refused)\n",
              text_report(fifty_connections(), found));
    EXPECT_TRUE(nlohmann::json::accept(json_report(fifty_connections(), found)));
}

TEST(report, json_is_one_line_with_microseconds) {
    const std::string text = json_report(fifty_connections(), ten_seconds());
    EXPECT_EQ(text.size() - 1, text.find('\n'));
    const auto found = nlohmann::json::parse(text);
    EXPECT_EQ(3'351'204, found["messages"]);
    EXPECT_EQ(3'351'204 * 64, found["bytes"]);
    EXPECT_NEAR(143.0, found["latency_us"]["p50"].get<double>(), 0.15);
    EXPECT_DOUBLE_EQ(927.0, found["latency_us"]["max"].get<double>());
    EXPECT_NEAR(0.8952, found["cpu_us_per_message"].get<double>(), 0.0001);
    EXPECT_NEAR(0.1, found["enters_per_message"].get<double>(), 0.0001);
    EXPECT_EQ(0, found["errors"]);
    EXPECT_TRUE(found["rate"].is_null());
}

TEST(report, a_rate_that_was_not_reached_is_said_but_the_last_few_are_not) {
    settings asked = fifty_connections();
    asked.rate_per_second = 1'000;
    results found = ten_seconds();
    found.unsent = 50;
    EXPECT_EQ("", complaints(asked, found));
    found.unsent = 50'000;
    EXPECT_EQ(
        "50,000 messages were due and not sent when the time was over: the rate was not reached\n",
        complaints(asked, found));
    EXPECT_TRUE(found.passed());
}

}  // namespace
}  // namespace load
