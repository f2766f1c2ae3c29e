// SPDX-License-Identifier: MIT
// epoll_doubt_linux_test.cpp - when epoll's poller registers a silent descriptor again, and when
// not.
//
// A registration that is made again tells anew of bytes that nobody has read: that is how it shows.
#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "backend/readiness/poller_epoll.hpp"
#include "poller_test_support.hpp"

namespace ioring::backends::readiness {
namespace {

using clock = std::chrono::steady_clock;
using nanoseconds = std::chrono::nanoseconds;

class epoll_doubt_test : public poller_test<epoll_poller> {
protected:
    // How many events there are until `end`, or until there are `enough`.
    int count_events(int enough, clock::time_point end) {
        int found = 0;
        for (clock::time_point now; found < enough && (now = clock::now()) < end;) {
            std::array<ready_event, 64> events{};
            found += std::max(poller_.wait(events, nanoseconds{end - now}.count()), 0);
        }
        return found;
    }

    connection pair_ = connected();
};

TEST_F(epoll_doubt_test, one_that_is_busy_is_not_registered_again) {
    arm(pair_.ours, direction::read);
    int quick_rounds = 0;
    const auto end = clock::now() + nanoseconds{6 * epoll_poller::doubt_ns};
    while (clock::now() < end) {
        send_text(pair_.theirs, "x");
        ASSERT_TRUE(hears(pair_.ours, direction::read));
        const auto armed = clock::now();
        arm(pair_.ours, direction::read);
        const int more = count_events(1, armed + nanoseconds{epoll_poller::doubt_ns / 10});
        if (clock::now() - armed >= nanoseconds{epoll_poller::doubt_ns})
            continue;  // A slow machine.
        EXPECT_EQ(0, more) << "after " << quick_rounds << " rounds";
        ++quick_rounds;
    }
    EXPECT_LT(0, quick_rounds);
}

TEST_F(epoll_doubt_test, the_more_are_armed_the_later_they_are_registered_again_but_all_are) {
    constexpr int count = 2000;
    send_text(pair_.theirs, "x");
    std::vector<descriptor_owner> many;
    for (int index = 0; index < count; ++index) {
        many.emplace_back(::dup(pair_.ours.get()));
        arm(many.back(), direction::read);
    }
    const auto patience = clock::now() + nanoseconds{patience_ns};
    ASSERT_EQ(count, count_events(count, patience));
    const auto armed = clock::now();
    for (const descriptor_owner& each : many) arm(each, direction::read);
    ASSERT_LE(1, count_events(1, patience));
    // The look that finds all of them fresh, and the next one.
    constexpr std::int64_t soonest_ns =
        epoll_poller::doubt_ns + count * epoll_poller::doubt_each_ns;
    EXPECT_LE(nanoseconds{soonest_ns}, clock::now() - armed);
    EXPECT_LE(count - 64, count_events(count - 64, patience));
    for (const descriptor_owner& each : many) poller_.forget(each.get());
}

}  // namespace
}  // namespace ioring::backends::readiness
