// SPDX-License-Identifier: MIT
// recv_test.cpp - what recv promises.
#include "conformance.hpp"

namespace ioring::conformance {
namespace {

class recv_test : public backend_test {};
INSTANTIATE_TEST_SUITE_P(backend, recv_test, every_backend(), backend_name);

TEST_P(recv_test, waits_for_bytes_that_come_later) {
    const auto [ours, theirs] = connected_pair();
    std::array<std::byte, 16> buffer{};
    prep_recv(next_sqe(), ours.fd(), buffer, 0, /*user_data=*/7);
    expect_nothing();  // Nothing was sent: it must be parked, not failed.
    ASSERT_TRUE(send_all(theirs, "x"));
    EXPECT_EQ(1, complete_one(7).res);
    EXPECT_EQ("x", text(buffer, 1));
}

}  // namespace
}  // namespace ioring::conformance
