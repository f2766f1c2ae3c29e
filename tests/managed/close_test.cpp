// SPDX-License-Identifier: MIT
// close_test.cpp - every connection ends once, in order and in time.

#include <cerrno>

#include "managed.hpp"

namespace ioring::managed {
namespace {

using conformance::pattern;

class managed_close_test : public managed_test {
protected:
    [[nodiscard]] manager_options manager() const override {
        return {.sockets_max = 64, .drain_timeout = 200ms};
    }
    void expect_closed(close_reason reason) {
        ASSERT_TRUE(until_told(event_type::closed));
        EXPECT_EQ(reason, last(event_type::closed).reason);
        (void)turn(0ns);
        EXPECT_EQ(1u, count(event_type::closed));
        EXPECT_EQ(0u, sockets_.size());
    }
};
INSTANTIATE_TEST_SUITE_P(backend, managed_close_test, every_managed_backend(),
                         conformance::backend_name);

TEST_P(managed_close_test, the_peers_end_ends_the_connection_after_its_bytes_were_answered) {
    const pair one = accept_one();
    send(one.theirs, "last words");
    conformance::shut_down(one.theirs, shutdown_how::write);
    EXPECT_EQ("last words", receive_to_end(one.theirs));
    expect_closed(close_reason::peer_closed);
    EXPECT_EQ(1u, count(event_type::peer_closed));
    EXPECT_FALSE(last(event_type::closed).error);
}

TEST_P(managed_close_test, with_unsent_data_sends_it_and_then_the_end) {
    pair one = accept_one();
    const std::string bulk = pattern(60'000);
    EXPECT_EQ(bulk.size(), one.ours->write(bytes_of(bulk)));
    one.ours->close();
    EXPECT_EQ(0u, one.ours->write(bytes_of("too late")));
    EXPECT_TRUE(bulk == receive_to_end(one.theirs));
    one.theirs.close();
    expect_closed(close_reason::closed);
}

TEST_P(managed_close_test, with_nothing_unsent_tells_the_peer_at_once) {
    pair one = accept_one();
    one.ours->close();
    EXPECT_EQ("", receive_to_end(one.theirs));
    one.theirs.close();
    expect_closed(close_reason::closed);
    EXPECT_EQ(0u, sockets_.counters().reset);
}

TEST_P(managed_close_test, a_peer_that_never_ends_its_side_is_dropped_in_time) {
    const pair one = accept_one();
    const auto start = std::chrono::steady_clock::now();
    one.ours->close();
    expect_closed(close_reason::drain_timeout);
    EXPECT_LE(200ms, std::chrono::steady_clock::now() - start);
    EXPECT_EQ(1u, sockets_.counters().reset);
}

TEST_P(managed_close_test, a_peer_that_reads_nothing_is_dropped_in_time) {
    const pair one = accept_one();
    (void)fill(*one.ours);
    one.ours->close();
    expect_closed(close_reason::drain_timeout);
}

TEST_P(managed_close_test, a_peer_that_sends_for_ever_is_dropped_in_time) {
    const pair one = accept_one();
    one.ours->close();
    const std::string bulk = pattern(60'000);
    ASSERT_TRUE(until([&] {
        (void)conformance::plain::send(one.theirs.number(), bulk.data(), bulk.size());
        return count(event_type::closed) != 0;
    }));
    EXPECT_EQ(close_reason::drain_timeout, last(event_type::closed).reason);
    EXPECT_LT(0u, sockets_.counters().bytes_discarded);
}

TEST_P(managed_close_test, abort_is_a_reset) {
    const pair one = accept_one();
    one.ours->abort();
    ASSERT_TRUE(until([&] { return conformance::readable(one.theirs, 0ms); }));
    char byte = 0;
    EXPECT_EQ(-ECONNRESET, conformance::plain::receive(one.theirs.number(), &byte, 1));
    expect_closed(close_reason::aborted);
}

TEST_P(managed_close_test, the_peers_reset_is_told_once) {
    pair one = accept_one();
    begin_to_receive();
    one.theirs.reset();
    expect_closed(close_reason::failed);
    EXPECT_TRUE(last(event_type::closed).error == std::errc::connection_reset ||
                last(event_type::closed).error == std::errc::broken_pipe);
    EXPECT_EQ(0u, count(event_type::peer_closed));
}

TEST_P(managed_close_test, a_send_error_leaks_neither_socket_nor_slot_nor_buffer) {
    on_event_ = nullptr;
    for (int round = 0; round < 100; ++round) {
        pair one = accept_one();
        const std::string bulk = pattern(60'000);
        EXPECT_EQ(bulk.size(), one.ours->write(bytes_of(bulk)));
        (void)turn(0ns);
        one.theirs.reset();
        // What makes the send fail, if the receive has not.
        (void)one.ours->write(bytes_of("x"));
        ASSERT_TRUE(until_told(event_type::closed, static_cast<std::size_t>(round) + 1));
    }
    (void)turn(0ns);
    EXPECT_EQ(0u, sockets_.size());
}

TEST_P(managed_close_test, closing_and_aborting_as_often_as_one_likes_is_one_end) {
    pair one = accept_one();
    (void)one.ours->write(bytes_of("x"));
    one.ours->close();
    one.ours->close();
    one.ours->abort();
    one.ours->close();
    expect_closed(close_reason::aborted);
}

TEST_P(managed_close_test, the_end_is_told_after_the_last_byte_was_read) {
    on_event_ = nullptr;  // Reads nothing.
    const pair one = accept_one();
    send(one.theirs, "unread");
    conformance::shut_down(one.theirs, shutdown_how::write);
    ASSERT_TRUE(until_told(event_type::received));
    for (int i = 0; i < 20; ++i) (void)turn(1ms);
    EXPECT_EQ(0u, count(event_type::peer_closed));
    EXPECT_EQ("unread", text_of(one.ours->readable()));
    one.ours->consume(3);
    for (int i = 0; i < 5; ++i) (void)turn(1ms);
    EXPECT_EQ(0u, count(event_type::peer_closed));
    one.ours->consume(3);
    ASSERT_TRUE(until_told(event_type::peer_closed));
    expect_closed(close_reason::peer_closed);
}

TEST_P(managed_close_test, an_answer_to_the_peers_end_still_reaches_it) {
    on_event_ = [](const socket_event& event) {
        if (event.type == event_type::peer_closed) event.socket->write(bytes_of("goodbye"));
    };
    const pair one = accept_one();
    conformance::shut_down(one.theirs, shutdown_how::write);
    EXPECT_EQ("goodbye", receive_to_end(one.theirs));
    expect_closed(close_reason::peer_closed);
}

TEST_P(managed_close_test, what_came_before_a_reset_can_be_read_with_the_last_events) {
    std::string came;
    on_event_ = [&](const socket_event& event) {
        if (event.type != event_type::received) return;
        came += text_of(event.socket->readable());
        event.socket->consume(event.socket->readable().size());
    };
    pair one = accept_one();
    send(one.theirs, "precious");
    ASSERT_TRUE(until_told(event_type::received));
    one.theirs.reset();
    expect_closed(close_reason::failed);
    EXPECT_EQ("precious", came);
}

TEST_P(managed_close_test, a_connect_can_be_closed_before_it_stands) {
    const conformance::plain_listener there = conformance::listen_on("127.0.0.1:0");
    socket* ours = nullptr;
    ASSERT_FALSE(sockets_.connect(there.address, ours));
    ours->close();
    expect_closed(close_reason::closed);
    EXPECT_EQ(0u, count(event_type::connected));
}

TEST_P(managed_close_test, an_id_kept_too_long_reaches_nobody_else) {
    pair one = accept_one();
    const socket_id old = one.ours->id();
    one.theirs.close();
    ASSERT_TRUE(until_told(event_type::closed));
    (void)turn(0ns);
    EXPECT_EQ(nullptr, sockets_.find(old));
    const pair two = accept_one();
    EXPECT_EQ(old.slot, two.ours->id().slot);  // The same place, and yet another.
    EXPECT_NE(old, two.ours->id());
    EXPECT_EQ(nullptr, sockets_.find(old));
    EXPECT_EQ(two.ours, sockets_.find(two.ours->id()));
    EXPECT_EQ(nullptr, sockets_.find({}));
    EXPECT_EQ(nullptr, sockets_.find({1'000'000, 1}));
}

TEST_P(managed_close_test, the_manager_may_end_with_everything_under_way) {
    std::vector<socket_end> clients;
    for (int i = 0; i < 8; ++i) {
        pair one = accept_one();
        (void)one.ours->write(bytes_of(pattern(50'000)));
        if (i % 2 == 0) one.ours->close();
        clients.push_back(std::move(one.theirs));
    }
    socket* connecting = nullptr;
    const conformance::plain_listener there = conformance::listen_on("127.0.0.1:0");
    ASSERT_FALSE(sockets_.connect(there.address, connecting));
    // TearDown() ends it and counts what is left.
}

class managed_half_open_test : public managed_close_test {
protected:
    [[nodiscard]] manager_options manager() const override {
        return {.sockets_max = 64, .allow_half_open = true, .drain_timeout = 200ms};
    }
};
INSTANTIATE_TEST_SUITE_P(backend, managed_half_open_test, every_managed_backend(),
                         conformance::backend_name);

TEST_P(managed_half_open_test, the_program_goes_on_sending_after_the_peers_end) {
    const pair one = accept_one();
    conformance::shut_down(one.theirs, shutdown_how::write);
    ASSERT_TRUE(until_told(event_type::peer_closed));
    for (int i = 0; i < 5; ++i) (void)turn(1ms);
    ASSERT_TRUE(one.ours->is_open());
    (void)one.ours->write(bytes_of("still here"));
    EXPECT_EQ("still here", receive(one.theirs, 10));
    one.ours->close();
    EXPECT_EQ("", receive_to_end(one.theirs));
    expect_closed(close_reason::closed);
}

class managed_drain_test : public managed_test {};
INSTANTIATE_TEST_SUITE_P(backend, managed_drain_test, every_managed_backend(),
                         conformance::backend_name);

TEST_P(managed_drain_test, flushes_and_ends_in_order_and_reports_what_was_cut) {
    std::vector<socket_end> quick;
    for (int i = 0; i < 3; ++i) {
        pair one = accept_one();
        EXPECT_EQ(5u, one.ours->write(bytes_of("bye!\n")));
        quick.push_back(std::move(one.theirs));
    }
    const pair stuck = accept_one();
    (void)fill(*stuck.ours);
    // They end their own side, so that nobody has to wait for them.
    for (const socket_end& each : quick) conformance::shut_down(each, shutdown_how::write);
    const auto start = std::chrono::steady_clock::now();
    const drain_report report = sockets_.drain(300ms);
    EXPECT_LE(std::chrono::steady_clock::now() - start, 5s);
    EXPECT_TRUE(report.complete);
    EXPECT_EQ(3u, report.drained);
    EXPECT_EQ(1u, report.cut);
    EXPECT_EQ(0u, report.abandoned);
    EXPECT_LT(0u, report.bytes_unsent);
    EXPECT_EQ(0u, sockets_.size());
    for (const socket_end& each : quick) EXPECT_EQ("bye!\n", conformance::receive_to_end(each));
    // It listens no more.
    EXPECT_EQ(0u, sockets_.local_endpoint(listener_).size());
}

TEST_P(managed_drain_test, of_nothing_is_done_at_once) {
    const drain_report report = sockets_.drain(10s);
    EXPECT_TRUE(report.complete);
    EXPECT_EQ(0u, report.cut + report.drained + report.abandoned);
}

}  // namespace
}  // namespace ioring::managed
