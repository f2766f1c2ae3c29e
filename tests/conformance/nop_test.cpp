// SPDX-License-Identifier: MIT
// nop_test.cpp - what holds for every operation, shown by the one that does nothing.
#include "conformance.hpp"

namespace ioring::conformance {
namespace {

class nop_test : public backend_test {};
INSTANTIATE_TEST_SUITE_P(backend, nop_test, every_backend(), backend_name);

TEST_P(nop_test, completes_once_with_zero_and_its_user_data) {
    prep_nop(next_sqe(), /*user_data=*/0x1234'5678'9abc'def0);
    const cqe done = complete_one(0x1234'5678'9abc'def0);
    EXPECT_EQ(0, done.res);
    EXPECT_EQ(0U, done.flags);
    expect_nothing();
}

TEST_P(nop_test, a_batch_as_large_as_the_queue_completes_in_full) {
    const std::uint32_t count = ring_.submission_queue_space();
    for (std::uint32_t i = 0; i < count; ++i) prep_nop(next_sqe(), i);
    ASSERT_EQ(static_cast<int>(count), ring_.submit());
    std::vector<bool> seen(count);
    for (const cqe& done : complete(count)) {
        ASSERT_LT(done.user_data, count);
        EXPECT_FALSE(seen[done.user_data]);
        seen[done.user_data] = true;
    }
}

}  // namespace
}  // namespace ioring::conformance
