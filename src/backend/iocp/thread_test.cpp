// SPDX-License-Identifier: MIT
// thread_test.cpp - what other threads may do to the engine of completion ports: wake it, and send
// messages to its ring.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <thread>
#include <vector>

#include "backend/backend_test_support.hpp"
#include "backend/iocp/fake_system_test_support.hpp"
#include "backend/iocp/iocp_kernel.hpp"

namespace ioring::iocp_tests {
namespace {

backends::program make() {
    auto made = std::make_unique<iocp_kernel>(std::make_unique<fake_system>());
    EXPECT_FALSE(made->set_up({.sq_entries = 16, .cq_entries = 64}));
    return backends::program{std::move(made)};
}

int wait_for_ever(backends::program& of) {
    return of->enter(of.pending(), 1, backends::enter_flag::getevents, backends::no_timeout);
}

TEST(iocp_thread_test, wake_from_another_thread_ends_an_endless_wait) {
    make().expect_wakes_to_end_endless_waits();
}

TEST(iocp_thread_test, messages_of_rings_in_other_threads_all_arrive_in_their_order) {
    backends::program ring = make();
    const fd name{ring->register_(backends::register_op::message_descriptor, nullptr, 0)};
    ASSERT_TRUE(name.valid());
    constexpr std::int32_t senders_count = 3;
    constexpr std::int32_t messages = 300;
    std::atomic<bool> over{false};
    std::vector<std::thread> senders;
    senders.reserve(senders_count);
    for (std::int32_t sender = 0; sender < senders_count; ++sender) {
        senders.emplace_back([name, sender, &over] {
            backends::program mine = make();
            for (std::int32_t each = 0; each < messages && !over;) {
                sqe entry;
                prep_msg_ring(entry, name, each, static_cast<std::uint64_t>(sender), 0, 1);
                mine.push(entry);
                const std::int32_t res = mine.complete_one().res;
                // Its mailbox may be full.
                if (res == 0) ++each;
                if (res == -EOVERFLOW) std::this_thread::yield();
                EXPECT_TRUE(res == 0 || res == -EOVERFLOW) << res;
            }
        });
    }
    std::vector<std::int32_t> next(senders_count, 0);
    for (std::int32_t got = 0; got < senders_count * messages && !testing::Test::HasFailure();) {
        const int result = wait_for_ever(ring);
        EXPECT_LE(0, result);
        for (const cqe& each : ring.reap()) {
            EXPECT_EQ(next.at(each.user_data)++, each.res);
            ++got;
        }
    }
    over = true;
    for (std::thread& each : senders) each.join();
}

}  // namespace
}  // namespace ioring::iocp_tests
