// SPDX-License-Identifier: MIT
// environment_posix_test.cpp - variables are read as they are; set or not, empty or not.
//
// That they are not believed in a set-user-ID program is tested from outside (doctor_test.py).
#include "platform/environment.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "platform/test_support.hpp"

namespace ioring::platform {
namespace {

constexpr const char* variable = "IORING_ENVIRONMENT_TEST";

TEST(environment, is_read_anew_each_time) {
    EXPECT_EQ(0, testing::run_in_child([] {
                  if (!environment(variable).empty()) return 1;
                  ::setenv(variable, "first", 1);
                  if (environment(variable) != "first") return 2;
                  ::setenv(variable, "", 1);
                  if (!environment(variable).empty()) return 3;
                  ::setenv(variable, " a, b", 1);
                  return environment(variable) == " a, b" ? 0 : 4;
              }));
}

}  // namespace
}  // namespace ioring::platform
