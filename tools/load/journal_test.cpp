// SPDX-License-Identifier: MIT
// journal_test.cpp - start times come back in order, for each connection on its own.
#include "journal.hpp"

#include <array>
#include <deque>
#include <random>

#include <gtest/gtest.h>

namespace load {
namespace {

TEST(journal, is_a_queue_for_each_connection) {
    constexpr std::uint64_t depth = 5;
    journal times{3, depth};
    std::array<connection, 3> peers;
    std::array<std::deque<std::int64_t>, 3> model;
    std::mt19937_64 random{11};
    for (std::int64_t now = 0; now < 20'000; ++now) {
        const auto index = static_cast<std::uint32_t>(random() % peers.size());
        connection& peer = peers[index];
        ASSERT_EQ(model[index].size() == depth, times.full(peer));
        if (random() % 2 == 0 && !times.full(peer)) {
            times.start(peer, index, now);
            model[index].push_back(now);
        } else if (peer.in_flight() > 0) {
            ASSERT_EQ(model[index].front(), times.finish(peer, index));
            model[index].pop_front();
        }
        ASSERT_EQ(model[0].size() + model[1].size() + model[2].size(), times.in_flight());
    }
}

TEST(journal, what_a_lost_connection_had_in_flight_is_forgotten) {
    journal times{2, 4};
    std::array<connection, 2> peers;
    times.start(peers[0], 0, 1);
    times.start(peers[0], 0, 2);
    times.start(peers[1], 1, 3);
    times.forget(peers[0]);
    EXPECT_EQ(1U, times.in_flight());
    EXPECT_EQ(3, times.finish(peers[1], 1));
    EXPECT_EQ(0U, times.in_flight());
}

}  // namespace
}  // namespace load
