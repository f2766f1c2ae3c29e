// SPDX-License-Identifier: MIT
// time_test.cpp - what happens because nothing happens: time-outs and timers.

#include "managed.hpp"

namespace ioring::managed {
namespace {

using conformance::pattern;
using clock = std::chrono::steady_clock;

class managed_time_test : public managed_test {
protected:
    // A manager of its own, whose options are the test's.
    void remake(manager_options options) {
        sockets_ = socket_manager{};
        std::string why;
        ASSERT_FALSE(socket_manager::create(ring_, options, sockets_, &why)) << why;
        ASSERT_FALSE(sockets_.listen(address(), {}, listener_, &why)) << why;
    }
    void expect_closed(close_reason reason, clock::time_point start, clock::duration least) {
        ASSERT_TRUE(until_told(event_type::closed));
        EXPECT_LE(least, clock::now() - start);
        EXPECT_EQ(reason, last(event_type::closed).reason);
    }
};
INSTANTIATE_TEST_SUITE_P(backend, managed_time_test, every_managed_backend(),
                         conformance::backend_name);

TEST_P(managed_time_test, a_connection_that_says_nothing_is_idle) {
    remake({.idle_timeout = 60ms, .drain_timeout = 50ms});
    const auto start = clock::now();
    const pair one = accept_one();
    expect_closed(close_reason::drain_timeout, start, 60ms);  // The peer did not end either.
}

TEST_P(managed_time_test, an_idle_connection_ends_in_order_when_its_peer_does) {
    remake({.idle_timeout = 60ms});
    const auto start = clock::now();
    pair one = accept_one();
    EXPECT_EQ("", receive_to_end(one.theirs));
    one.theirs.close();
    expect_closed(close_reason::idle_timeout, start, 60ms);
}

TEST_P(managed_time_test, the_time_to_end_begins_with_close_however_long_the_program_worked) {
    remake({.drain_timeout = 100ms});
    const pair one = accept_one();
    const auto begun = clock::now();
    while (clock::now() - begun <= 110ms) {  // Work.
    }
    const auto closing = clock::now();
    one.ours->close();
    expect_closed(close_reason::drain_timeout, closing, 100ms);
}

TEST_P(managed_time_test, one_that_talks_is_not_idle) {
    remake({.idle_timeout = 200ms});
    const pair one = accept_one();
    const auto start = clock::now();
    while (clock::now() - start < 500ms) {
        send(one.theirs, "x");
        ASSERT_EQ("x", receive(one.theirs, 1));
    }
    EXPECT_EQ(0u, count(event_type::closed));
}

TEST_P(managed_time_test, a_peer_that_only_listens_runs_into_the_read_timeout) {
    remake({.read_timeout = 100ms, .drain_timeout = 50ms});
    const auto start = clock::now();
    const pair one = accept_one();
    ASSERT_TRUE(until([&] {
        if (one.ours->is_open()) (void)one.ours->write(bytes_of("tick"));
        (void)conformance::receive_some(one.theirs);
        return count(event_type::closed) != 0;
    }));
    expect_closed(close_reason::drain_timeout, start, 100ms);
}

TEST_P(managed_time_test, a_peer_that_takes_nothing_stalls_the_write) {
    remake({.write_stall_timeout = 100ms});
    on_event_ = nullptr;
    const auto start = clock::now();
    const pair one = accept_one();
    const std::string bulk = pattern(60'000);
    ASSERT_TRUE(until([&] {
        (void)one.ours->write(bytes_of(bulk));
        return count(event_type::closed) != 0;
    }));
    expect_closed(close_reason::write_stalled, start, 100ms);
    EXPECT_EQ(std::errc::timed_out, last(event_type::closed).error);
}

TEST_P(managed_time_test, a_peer_that_takes_nothing_stalls_the_end_of_our_side_too) {
    remake({.write_stall_timeout = 100ms});
    on_event_ = nullptr;
    const auto start = clock::now();
    const pair one = accept_narrow(listen_narrow());
    const std::string bulk = pattern(60'000);
    EXPECT_EQ(bulk.size(), one.ours->write(bytes_of(bulk)));
    one.ours->shutdown_write();
    expect_closed(close_reason::write_stalled, start, 100ms);
}

TEST_P(managed_time_test, a_handshake_that_does_not_end_is_cut) {
    remake({.handshake_timeout = 60ms});
    const pair done = accept_one();
    done.ours->finish_handshake();
    const auto start = clock::now();
    const pair not_done = accept_one();
    const socket_id id = not_done.ours->id();
    expect_closed(close_reason::handshake_timeout, start, 60ms);
    EXPECT_EQ(id, last(event_type::closed).id);
    for (int i = 0; i < 20; ++i) (void)turn(5ms);
    EXPECT_EQ(1u, count(event_type::closed));
}

TEST_P(managed_time_test, a_connect_that_takes_too_long_is_given_up) {
    // A listener whose queue is full answers no more connects. Some systems refuse at once.
    const conformance::plain_listener busy = conformance::listen_on("127.0.0.1:0", 1);
    std::vector<socket_end> queue;
    for (int i = 0; i < 8; ++i) {
        queue.push_back(conformance::open_stream(address_family::ipv4));
        conformance::set_nonblocking(queue.back());
        (void)conformance::plain::connect(queue.back().number(), busy.address);
    }
    remake({.connect_timeout = 100ms});
    const auto start = clock::now();
    socket* ours = nullptr;
    ASSERT_FALSE(sockets_.connect(busy.address, ours));
    expect_closed(close_reason::connect_timeout, start, 100ms);
    EXPECT_EQ(std::errc::timed_out, last(event_type::closed).error);
}

TEST_P(managed_time_test, timers_come_in_order_and_never_early) {
    const auto start = clock::now();
    ASSERT_TRUE(sockets_.start_timer(60ms, 2).valid());
    ASSERT_TRUE(sockets_.start_timer(30ms, 1).valid());
    const auto unwanted = sockets_.start_timer(40ms, 9);
    EXPECT_TRUE(sockets_.cancel_timer(unwanted));
    EXPECT_FALSE(sockets_.cancel_timer(unwanted));
    EXPECT_FALSE(sockets_.cancel_timer({}));
    std::vector<std::uint64_t> fired;
    on_event_ = [&](const socket_event& event) {
        if (event.type != event_type::timer) return;
        fired.push_back(event.done.user_data);
        EXPECT_LE(30ms * event.done.user_data, clock::now() - start);
    };
    ASSERT_TRUE(until_told(event_type::timer, 2));
    EXPECT_EQ((std::vector<std::uint64_t>{1, 2}), fired);
}

TEST_P(managed_time_test, a_timer_ends_a_poll_that_would_wait_for_ever) {
    ASSERT_TRUE(sockets_.start_timer(20ms, 5).valid());
    const auto events = sockets_.poll();
    ASSERT_EQ(1u, events.size());
    EXPECT_EQ(event_type::timer, events[0].type);
}

TEST_P(managed_time_test, a_poll_ends_when_its_time_is_over_and_not_before) {
    const auto start = clock::now();
    EXPECT_TRUE(sockets_.poll(50ms).empty());
    EXPECT_LE(50ms, clock::now() - start);
    EXPECT_GE(2s, clock::now() - start);
}

TEST_P(managed_time_test, what_others_post_is_an_event_and_a_wake_ends_the_poll) {
    ASSERT_TRUE(ring_.post(77, -5));
    ASSERT_TRUE(until_told(event_type::completion));
    EXPECT_EQ(77u, last(event_type::completion).done.user_data);
    EXPECT_EQ(-5, last(event_type::completion).done.res);
    // All names but those of the header are the program's.
    constexpr std::uint64_t names[] = {0, ~std::uint64_t{1}, std::uint64_t{0xd0} << 56U,
                                       std::uint64_t{0xbf} << 56U};
    for (const std::uint64_t name : names) {
        const std::size_t before = count(event_type::completion);
        ASSERT_TRUE(ring_.post(name, 1));
        ASSERT_TRUE(until_told(event_type::completion, before + 1));
        EXPECT_EQ(name, last(event_type::completion).done.user_data);
    }
    ring_.wake();
    EXPECT_TRUE(sockets_.poll().empty());
}

}  // namespace
}  // namespace ioring::managed
