// SPDX-License-Identifier: MIT
// overload_test.cpp - who comes when there is too much to do already waits
// until there is not.
#include "managed.hpp"

namespace ioring::managed {
namespace {

using conformance::pattern;
using clock = std::chrono::steady_clock;

class managed_overload_test : public managed_test {
protected:
    // Polls for a while; nobody is accepted meanwhile, and no turn follows the
    // other in haste.
    void expect_nobody_is_accepted() {
        const std::size_t before = count(event_type::accepted);
        const std::uint64_t enters = ring_.counters().enters;
        const auto start = clock::now();
        while (clock::now() - start < 100ms) (void)turn(20ms);
        EXPECT_EQ(before, count(event_type::accepted));
        EXPECT_GT(60u, ring_.counters().enters - enters);
    }
};

class managed_memory_gate_test : public managed_overload_test {
protected:
    [[nodiscard]] manager_options manager() const override {
        manager_options made{.sockets_max = 64};
        made.accept_memory_max_bytes = 2 * made.buffer_bytes;
        return made;
    }
    // A connection whose byte stays unread, and so in a buffer of its own.
    pair hold_one() {
        pair made = accept_one();
        send(made.theirs, "x");
        (void)until([&] { return made.ours->unread_bytes() == 1; });
        (void)turn(0ns);
        return made;
    }
};
INSTANTIATE_TEST_SUITE_P(backend, managed_memory_gate_test, every_managed_backend(),
                         conformance::backend_name);

TEST_P(managed_memory_gate_test, with_its_share_of_memory_lent_it_accepts_nobody) {
    on_event_ = nullptr;
    listener_id other;
    ASSERT_FALSE(sockets_.listen(address(), {}, other));
    const pair one = hold_one();
    const pair two = hold_one();
    ASSERT_TRUE(until_told(event_type::accept_paused, 2));  // Each listener's.
    EXPECT_EQ(std::errc::not_enough_memory, last(event_type::accept_paused).error);
    EXPECT_EQ(other, last(event_type::accept_paused).listener);
    for (int i = 0; i < 5; ++i) (void)turn(1ms);  // Accepts in flight are ended.
    const socket_end third = client();
    ASSERT_TRUE(conformance::send_all(third, "y"));
    expect_nobody_is_accepted();
    EXPECT_EQ(2u, count(event_type::accept_paused));
    // Those that are there are served.
    send(one.theirs, "z");
    ASSERT_TRUE(until([&] { return one.ours->unread_bytes() == 2; }));
    one.ours->consume(2);
    ASSERT_TRUE(until_told(event_type::accepted, 3));
    socket* const ours = sockets_.find(last(event_type::accepted).id);
    ASSERT_NE(nullptr, ours);
    EXPECT_EQ(two.ours->unread_bytes(), 1u);
    EXPECT_EQ(2u, sockets_.counters().accept_pauses);
    two.ours->consume(1);
    ASSERT_TRUE(until([&] { return ours->unread_bytes() == 1; }));
}

TEST_P(managed_memory_gate_test, a_connection_of_ones_own_is_no_concern_of_it) {
    on_event_ = nullptr;
    const pair one = hold_one();
    const pair two = hold_one();
    ASSERT_TRUE(until_told(event_type::accept_paused));
    const conformance::plain_listener there = conformance::listen_on("127.0.0.1:0");
    socket* ours = nullptr;
    ASSERT_FALSE(sockets_.connect(there.address, ours));
    ASSERT_TRUE(until_told(event_type::connected));
}

class managed_lag_gate_test : public managed_overload_test {
protected:
    [[nodiscard]] manager_options manager() const override {
        return {.sockets_max = 64, .accept_lag_max = 200ms};
    }
};
INSTANTIATE_TEST_SUITE_P(backend, managed_lag_gate_test, every_managed_backend(),
                         conformance::backend_name);

TEST_P(managed_lag_gate_test, a_program_that_is_late_accepts_nobody_until_it_no_longer_is) {
    const pair one = accept_one();
    const std::size_t before = count(event_type::accept_paused);  // The machine itself may be late.
    on_event_ = [](const socket_event& event) {
        if (event.type != event_type::received) return;
        event.socket->consume(event.socket->readable().size());
        const auto start = clock::now();
        while (clock::now() - start <= 201ms) {  // Work.
        }
    };
    send(one.theirs, "x");
    ASSERT_TRUE(until_told(event_type::accept_paused, before + 1));
    EXPECT_EQ(std::errc::device_or_resource_busy, last(event_type::accept_paused).error);
    EXPECT_EQ(listener_, last(event_type::accept_paused).listener);
    const auto paused = clock::now();
    const pair later = accept_one();
    EXPECT_LE(40ms, clock::now() - paused);
    EXPECT_NE(nullptr, later.ours);
}

TEST_P(managed_lag_gate_test, ends_by_itself_in_a_poll_that_waits_for_ever) {
    on_event_ = nullptr;
    const pair one = accept_one();
    const auto start = clock::now();
    while (clock::now() - start <= 201ms) {
    }
    ASSERT_TRUE(until_told(event_type::accept_paused));
    const socket_end another = client();
    const std::size_t before = count(event_type::accepted);
    while (count(event_type::accepted) == before) ASSERT_TRUE(turn(ring::forever));
}

}  // namespace
}  // namespace ioring::managed
