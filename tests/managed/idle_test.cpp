// SPDX-License-Identifier: MIT
// idle_test.cpp - a connection that waits holds no receive buffer, with buffer
// rings and without.
#include "managed.hpp"

namespace ioring::managed {
namespace {

constexpr std::uint32_t connections = 50;

class managed_idle_test : public managed_test {
protected:
    // One chunk for all of them: whoever waits with it would keep it from the
    // others.
    [[nodiscard]] manager_options manager() const override {
        return {.sockets_max = 64, .chunks = 1, .chunk_bytes = 4096};
    }
};
INSTANTIATE_TEST_SUITE_P(backend, managed_idle_test, every_managed_backend(),
                         conformance::backend_name);

TEST_P(managed_idle_test, one_chunk_is_enough_for_all_that_wait) {
    std::vector<pair> all;
    for (std::uint32_t i = 0; i < connections; ++i) all.push_back(accept_one());
    for (int i = 0; i < 5; ++i) (void)turn(1ms);
    for (int round = 0; round < 2; ++round) {
        for (const pair& each : all) {
            send(each.theirs, "one at a time");
            ASSERT_EQ("one at a time", receive(each.theirs, 13));
        }
    }
}

TEST_P(managed_idle_test, one_chunk_serves_those_that_talk_at_once_by_turns) {
    std::vector<pair> all;
    for (std::uint32_t i = 0; i < connections; ++i) all.push_back(accept_one());
    for (int round = 0; round < 2; ++round) {
        for (const pair& each : all) ASSERT_TRUE(conformance::send_all(each.theirs, "all at once"));
        for (const pair& each : all) ASSERT_EQ("all at once", receive(each.theirs, 11));
    }
}

}  // namespace
}  // namespace ioring::managed
