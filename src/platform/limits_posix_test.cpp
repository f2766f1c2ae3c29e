// SPDX-License-Identifier: MIT
// limits_posix_test.cpp - limits are read as they are, raised as far as allowed and never lowered.
#include "platform/limits.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "platform/test_support.hpp"

namespace ioring::platform {
namespace {

using testing::become_nobody;
using testing::run_in_child;

void set_limit(rlim_t soft, rlim_t hard) {
    rlimit limit{};
    limit.rlim_cur = soft;
    limit.rlim_max = hard;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

TEST(limits, are_those_of_the_process) {
    rlimit expected{};
    ASSERT_EQ(0, ::getrlimit(RLIMIT_NOFILE, &expected));
    EXPECT_EQ(expected.rlim_cur, descriptor_limit().soft);
    EXPECT_EQ(expected.rlim_max, descriptor_limit().hard);
    EXPECT_LT(0u, memlock_limit().hard);
    EXPECT_LE(memlock_limit().soft, memlock_limit().hard);
    EXPECT_LT(1000u, mapping_limit());
    EXPECT_LE(16u, backlog_limit());
}

TEST(limits, a_raised_limit_is_in_force) {
    EXPECT_EQ(0, run_in_child([] {
                  set_limit(100, 1000);
                  return raise_descriptor_limit(200) == 200 && descriptor_limit().soft == 200 &&
                                 descriptor_limit().hard == 1000
                             ? 0
                             : 1;
              }));
}

TEST(limits, are_never_lowered) {
    EXPECT_EQ(0, run_in_child([] {
                  set_limit(200, 1000);
                  return raise_descriptor_limit(100) == 200 && raise_descriptor_limit(0) == 200 &&
                                 descriptor_limit().hard == 1000
                             ? 0
                             : 1;
              }));
}

TEST(limits, without_privileges_the_hard_limit_is_the_end) {
    EXPECT_EQ(0, run_in_child([] {
                  set_limit(100, 300);
                  become_nobody();
                  return raise_descriptor_limit(5000) == 300 &&
                                 raise_descriptor_limit(unlimited) == 300 &&
                                 descriptor_limit().hard == 300
                             ? 0
                             : 1;
              }));
}

}  // namespace
}  // namespace ioring::platform
