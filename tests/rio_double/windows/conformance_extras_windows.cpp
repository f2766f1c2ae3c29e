// SPDX-License-Identifier: MIT
// conformance_extras_windows.cpp - rio_double for the conformance suite.
//
// At the program's end the double must have had nothing to write down.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "conformance/backends.hpp"
#include "windows/backend_over_double.hpp"

namespace ioring::rio_tests {
namespace {

const conformance::extra_backend added{rio_over_double()};

class nothing_was_violated final : public testing::Environment {
public:
    void TearDown() override { EXPECT_EQ(std::vector<std::string>{}, violations_of_double()); }
};

const testing::Environment* const at_the_end =
    testing::AddGlobalTestEnvironment(new nothing_was_violated);

}  // namespace
}  // namespace ioring::rio_tests
