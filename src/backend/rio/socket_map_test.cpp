// SPDX-License-Identifier: MIT
// socket_map_test.cpp - what was added is found until it is removed, whatever else comes and goes.
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "backend/rio/socket_map.hpp"

namespace ioring::backends::rio {
namespace {

TEST(socket_map, finds_nothing_in_the_beginning) {
    const socket_map empty;
    EXPECT_EQ(reference{}, empty.find(4));
}

TEST(socket_map, agrees_with_a_map_through_many_changes) {
    socket_map ours;
    std::map<abi::socket, reference> model;
    std::mt19937 random(7);
    for (std::uint32_t step = 1; step < 50'000; ++step) {
        const abi::socket socket = 4 * (1 + random() % 700);
        const auto known = model.find(socket);
        if (known != model.end()) {
            ASSERT_EQ(known->second, ours.find(socket));
            if (random() % 2 == 0) {
                ours.remove(socket);
                model.erase(known);
            }
        } else {
            ASSERT_EQ(reference{}, ours.find(socket));
            ASSERT_TRUE(ours.make_room());
            ours.add(socket, {step, step});
            model[socket] = {step, step};
        }
        ASSERT_EQ(model.size(), ours.count());
    }
    for (const auto& [socket, id] : model) EXPECT_EQ(id, ours.find(socket));
}

}  // namespace
}  // namespace ioring::backends::rio
