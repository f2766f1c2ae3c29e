// SPDX-License-Identifier: MIT
// text_fields_test.cpp - what Linux writes is read, and what it does not write is nothing.
#include "doctor/text_fields.hpp"

#include <gtest/gtest.h>

namespace doctor {
namespace {

TEST(text_fields, a_field_is_the_number_behind_its_name_at_the_beginning_of_a_line) {
    constexpr std::string_view status =
        "Name:\tSeccomp: 7\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t13\nCapEff:\t"
        "000001ffffffffff\n";
    EXPECT_EQ(2, field(status, "Seccomp:"));
    EXPECT_EQ(13, field(status, "Seccomp_filters:"));
    EXPECT_EQ(1, field(status, "NoNewPrivs:"));
    EXPECT_EQ(0x1ffffffffff, field(status, "CapEff:", 16));
    EXPECT_EQ(std::nullopt, field(status, "Seccom:"));
    EXPECT_EQ(std::nullopt, field(status, "Name:"));
    EXPECT_EQ(std::nullopt, field("", "Name:"));
    EXPECT_EQ(8'000'000,
              field("MemTotal:   16000000 kB\nMemAvailable:    8000000 kB", "MemAvailable:"));
}

TEST(text_fields, words_are_no_numbers) {
    EXPECT_EQ(std::nullopt, number_at("max\n"));
    EXPECT_EQ(std::nullopt, number_at(""));
    EXPECT_EQ(std::nullopt, number_at(" \t"));
    EXPECT_EQ(-1, number_at("-1\n"));
    EXPECT_EQ(std::nullopt, number_at("99999999999999999999999"));
}

TEST(text_fields, the_unified_group_is_the_one_numbered_0) {
    EXPECT_EQ("/user.slice/a", cgroup_path("12:memory:/b\n0::/user.slice/a\n"));
    EXPECT_EQ("/", cgroup_path("0::/\n"));
    EXPECT_EQ("", cgroup_path("12:memory:/b\n"));
    EXPECT_EQ("", cgroup_path(""));
}

TEST(text_fields, containers_leave_their_mark_in_the_group_s_name) {
    EXPECT_EQ("docker", container_in_cgroup("0::/system.slice/docker-4f3a.scope\n"));
    EXPECT_EQ("kubernetes", container_in_cgroup("0::/kubepods.slice/docker-1.scope\n"));
    EXPECT_EQ("", container_in_cgroup("0::/user.slice/user-1000.slice\n"));
}

}  // namespace
}  // namespace doctor
