// SPDX-License-Identifier: MIT
// pressure_test.cpp - slow readers, full buffers, full queues: nothing stops and nothing is lost.

#include <algorithm>
#include <utility>

#include "managed.hpp"

namespace ioring::managed {
namespace {

using conformance::pattern;

class managed_pressure_test : public managed_test {};
INSTANTIATE_TEST_SUITE_P(backend, managed_pressure_test, every_managed_backend(),
                         conformance::backend_name);

TEST_P(managed_pressure_test, there_are_two_events_for_each_time_that_it_is_full) {
    on_event_ = nullptr;
    const pair one = accept_one();
    // The system may widen its buffers meanwhile, so that there is room again: one event of each.
    const auto told = [&] {
        return std::pair{count(event_type::send_blocked), count(event_type::writable)};
    };
    std::size_t times = 0;
    for (int round = 0; round < 3; ++round) {
        const std::size_t sent = fill(*one.ours);
        EXPECT_LT(times, told().first);
        EXPECT_EQ(told().first, told().second + 1);
        std::size_t got = 0;
        ASSERT_TRUE(until([&] {
            got += conformance::receive_some(one.theirs).size();
            return got == sent;
        }));
        times = told().first;
        ASSERT_TRUE(until_told(event_type::writable, times));
        EXPECT_EQ(times, told().second);
    }
    EXPECT_EQ(0u, one.ours->unsent_bytes());
}

TEST_P(managed_pressure_test, room_for_less_than_was_asked_for_is_none_and_told_when_it_is_there) {
    on_event_ = nullptr;
    const pair one = accept_one();
    const std::size_t all = manager().buffer_bytes;
    EXPECT_EQ(all, one.ours->writable(all).size());
    EXPECT_EQ(0u, count(event_type::send_blocked));
    one.ours->commit_write(1);
    EXPECT_TRUE(one.ours->writable(all).empty());
    ASSERT_TRUE(until_told(event_type::send_blocked));
    ASSERT_TRUE(until_told(event_type::writable));
    EXPECT_EQ(all, one.ours->writable(all).size());
}

TEST_P(managed_pressure_test, drained_is_told_when_asked_for_and_not_before_it_is_true) {
    on_event_ = nullptr;
    const pair one = accept_one();
    one.ours->notify_drained();
    ASSERT_TRUE(until_told(event_type::drained));
    const std::size_t sent = fill(*one.ours);
    one.ours->notify_drained();
    for (int i = 0; i < 10; ++i) (void)turn(1ms);
    EXPECT_EQ(1u, count(event_type::drained));
    std::size_t got = 0;
    ASSERT_TRUE(until([&] {
        got += conformance::receive_some(one.theirs).size();
        return got == sent;
    }));
    ASSERT_TRUE(until_told(event_type::drained, 2));
    EXPECT_EQ(0u, one.ours->unsent_bytes());
}

TEST_P(managed_pressure_test, receiving_goes_on_after_the_receive_buffer_was_full) {
    on_event_ = nullptr;
    const pair one = accept_one();
    const std::string all = pattern(2'000'000);
    std::string_view rest = all;
    // Until neither side takes any more.
    for (int idle = 0; idle < 50 && !rest.empty();) {
        const std::ptrdiff_t put =
            conformance::plain::send(one.theirs.number(), rest.data(), rest.size());
        idle = put > 0 ? 0 : idle + 1;
        if (put > 0) rest.remove_prefix(static_cast<std::size_t>(put));
        (void)turn(1ms);
    }
    ASSERT_TRUE(until([&] { return one.ours->unread_bytes() >= manager().buffer_bytes; }));
    std::string came;
    ASSERT_TRUE(until([&] {
        const auto bytes = one.ours->readable();
        came += text_of(bytes);
        one.ours->consume(bytes.size());
        const std::ptrdiff_t put =
            conformance::plain::send(one.theirs.number(), rest.data(), rest.size());
        if (put > 0) rest.remove_prefix(static_cast<std::size_t>(put));
        return came.size() == all.size();
    })) << came.size();
    EXPECT_TRUE(came == all);
}

TEST_P(managed_pressure_test, unread_bytes_are_announced_again_when_there_is_room_to_answer) {
    const pair one = accept_one();
    const std::size_t sent = fill(*one.ours);
    send(one.theirs, "echo me");  // The answer finds no room.
    ASSERT_TRUE(until([&] { return one.ours->unread_bytes() == 7; }));
    const std::size_t before = count(event_type::received);
    std::string got;
    ASSERT_TRUE(until([&] {
        got += conformance::receive_some(one.theirs);
        return got.size() == sent + 7;
    }));
    EXPECT_LT(before, count(event_type::received));
    EXPECT_EQ("echo me", got.substr(sent));
}

TEST_P(managed_pressure_test, a_source_is_told_when_its_target_has_room_again) {
    const pair from = accept_one();
    const pair to = accept_one();
    std::size_t filled = 0;
    on_event_ = nullptr;
    filled = fill(*to.ours);
    on_event_ = [&](const socket_event& event) {
        if (event.type != event_type::received || event.socket != from.ours) return;
        event.socket->forward_to(*to.ours, event.socket->readable().size());
    };
    send(from.theirs, "via");
    ASSERT_TRUE(until([&] { return from.ours->unread_bytes() == 3; }));
    std::string got;
    ASSERT_TRUE(until([&] {
        got += conformance::receive_some(to.theirs);
        return got.size() == filled + 3;
    }));
    EXPECT_EQ("via", got.substr(filled));
}

TEST_P(managed_pressure_test, paused_receives_nothing_until_resumed) {
    on_event_ = nullptr;
    const pair one = accept_one();
    one.ours->pause_recv();
    for (int i = 0; i < 5; ++i) (void)turn(1ms);
    send(one.theirs, "later");
    for (int i = 0; i < 10; ++i) (void)turn(1ms);
    // Some systems had taken it before the pause took hold; then it was announced.
    EXPECT_EQ(one.ours->unread_bytes() == 0 ? 0u : 1u, count(event_type::received));
    one.ours->resume_recv();
    ASSERT_TRUE(until([&] { return one.ours->unread_bytes() == 5; }));
    EXPECT_EQ("later", text_of(one.ours->readable()));
}

class managed_span_test : public managed_test {};
INSTANTIATE_TEST_SUITE_P(backend, managed_span_test, every_managed_backend(),
                         conformance::backend_name);

// Every connection is accepted, heard, and ended, whatever the room for events.
TEST_P(managed_span_test, of_one_gets_every_event_of_many_connections) {
    constexpr std::size_t connections = 40;
    std::vector<socket_end> clients;
    for (std::size_t i = 0; i < connections; ++i) {
        clients.push_back(client());
        ASSERT_TRUE(conformance::send_all(clients.back(), "x"));
    }
    std::array<std::size_t, 16> told{};
    const auto take = [&] {
        socket_event event;
        if (sockets_.poll({&event, 1}, 10ms) == 0) return;
        ++told[static_cast<std::size_t>(event.type)];
        if (event.type == event_type::received) event.socket->consume(1);
    };
    const auto have = [&](event_type type) { return told[static_cast<std::size_t>(type)]; };
    const auto end = std::chrono::steady_clock::now() + conformance::patience;
    while (have(event_type::received) < connections && std::chrono::steady_clock::now() < end) {
        take();
    }
    EXPECT_EQ(connections, have(event_type::accepted));
    EXPECT_EQ(connections, have(event_type::received));
    clients.clear();
    while (have(event_type::closed) < connections && std::chrono::steady_clock::now() < end) take();
    EXPECT_EQ(connections, have(event_type::closed));
    socket_event event;
    EXPECT_EQ(0u, sockets_.poll({&event, 1}, 0ns));
    EXPECT_EQ(0u, sockets_.size());
    EXPECT_EQ(0u, sockets_.poll(std::span<socket_event>{}, 0ns));
}

// A submission queue of eight serves more connections than it has entries.
class managed_small_queue_test : public managed_test {
protected:
    [[nodiscard]] ring_options options() const override {
        return {.sq_entries = 8, .connections_max = 64};
    }
};
INSTANTIATE_TEST_SUITE_P(backend, managed_small_queue_test, every_managed_backend(),
                         conformance::backend_name);

TEST_P(managed_small_queue_test, loses_nothing_and_closes_all) {
    std::vector<pair> all;
    for (int i = 0; i < 40; ++i) all.push_back(accept_one());
    for (const pair& each : all) ASSERT_TRUE(conformance::send_all(each.theirs, "ping"));
    for (const pair& each : all) EXPECT_EQ("ping", receive(each.theirs, 4));
    for (pair& each : all) each.ours->abort();
    ASSERT_TRUE(until_told(event_type::closed, all.size()));
}

// Chunks for a few messages only: who does not read must not keep them from the others.
class managed_few_chunks_test : public managed_test {
protected:
    [[nodiscard]] manager_options manager() const override {
        return {.sockets_max = 64, .chunks = 4, .chunk_bytes = 16'384};
    }
};
INSTANTIATE_TEST_SUITE_P(backend, managed_few_chunks_test, every_managed_backend(),
                         conformance::backend_name);

TEST_P(managed_few_chunks_test, slow_readers_do_not_starve_the_others) {
    const listener_id narrow = listen_narrow();
    std::vector<pair> slow;
    const std::string bulk = pattern(100'000);
    // They send, and never read what is echoed to them.
    for (int i = 0; i < 8; ++i) slow.push_back(accept_narrow(narrow));
    for (int round = 0; round < 60; ++round) {
        for (const pair& each : slow) {
            (void)conformance::plain::send(each.theirs.number(), bulk.data(), bulk.size());
        }
        (void)turn(1ms);
    }
    const pair quick = accept_one();
    for (int i = 0; i < 20; ++i) {
        send(quick.theirs, "ping");
        ASSERT_EQ("ping", receive(quick.theirs, 4)) << i;
    }
    EXPECT_LT(0u, sockets_.counters().starvations);
    EXPECT_LT(0u, sockets_.counters().evictions);
}

class managed_stalled_test : public managed_few_chunks_test {
protected:
    [[nodiscard]] manager_options manager() const override {
        return {
            .sockets_max = 64, .chunks = 4, .chunk_bytes = 16'384, .write_stall_timeout = 400ms};
    }
};
INSTANTIATE_TEST_SUITE_P(backend, managed_stalled_test, every_managed_backend(),
                         conformance::backend_name);

// A send that is cancelled for its chunks and begins anew has not moved a byte.
TEST_P(managed_stalled_test, ends_in_time_although_its_chunks_are_wanted_again_and_again) {
    listener_id narrow;
    ASSERT_FALSE(sockets_.listen("127.0.0.1:0", {.send_buffer_bytes = 4096}, narrow));
    const std::string bulk = pattern(40'000);
    std::vector<pair> slow;
    const auto send_more = [&] {
        for (const pair& each : slow) {
            (void)conformance::plain::send(each.theirs.number(), bulk.data(), bulk.size());
        }
    };
    // Each that comes holds chunks at first, and takes them from those before it.
    using clock = std::chrono::steady_clock;
    const clock::time_point start = clock::now();
    clock::duration longest_turn{};
    while (slow.size() < 60 && count(event_type::closed) == 0) {
        slow.push_back(accept_narrow(narrow));
        const clock::time_point next = clock::now() + 15ms;
        for (clock::time_point now = clock::now(); now < next;) {
            send_more();
            (void)turn(1ms);
            const clock::time_point then = std::exchange(now, clock::now());
            longest_turn = std::max(longest_turn, now - then);
        }
    }
    // On a machine that stands still it is later; if it were put off each time, five seconds.
    EXPECT_GT(2s + 10 * longest_turn, clock::now() - start);
    ASSERT_LT(0u, count(event_type::closed)) << sockets_.counters().evictions << " evictions";
    EXPECT_EQ(close_reason::write_stalled, last(event_type::closed).reason);
    EXPECT_LT(0u, sockets_.counters().evictions);
}

class managed_watermark_test : public managed_test {
protected:
    static constexpr std::uint32_t high = 40'000;
    static constexpr std::uint32_t low = 1000;
    [[nodiscard]] manager_options manager() const override {
        return {.sockets_max = 64, .send_high_bytes = high, .send_low_bytes = low};
    }
};
INSTANTIATE_TEST_SUITE_P(backend, managed_watermark_test, every_managed_backend(),
                         conformance::backend_name);

TEST_P(managed_watermark_test, the_high_one_blocks_and_the_low_one_ends_it_once_each) {
    on_event_ = nullptr;
    const pair one = accept_narrow(listen_narrow());
    const std::string bulk = pattern(high);
    EXPECT_EQ(high - 1, one.ours->write(bytes_of(bulk).first(high - 1)));
    EXPECT_EQ(high - 1, one.ours->unsent_bytes());
    EXPECT_EQ(1u, one.ours->write(bytes_of(bulk).subspan(high - 1)));  // Not cut, and yet enough.
    ASSERT_TRUE(until_told(event_type::send_blocked));
    std::size_t got = 0;
    std::uint32_t unsent_when_told = high;
    on_event_ = [&](const socket_event& event) {
        if (event.type == event_type::writable) unsent_when_told = event.socket->unsent_bytes();
    };
    ASSERT_TRUE(until([&] {
        EXPECT_TRUE(one.ours->unsent_bytes() <= low || count(event_type::writable) == 0);
        got += conformance::receive_some(one.theirs).size();
        return got == high;
    }));
    ASSERT_TRUE(until_told(event_type::writable));
    EXPECT_GE(low, unsent_when_told);
    EXPECT_EQ(1u, count(event_type::send_blocked));
    EXPECT_EQ(1u, count(event_type::writable));
}

class managed_close_policy_test : public managed_pressure_test {
protected:
    [[nodiscard]] manager_options manager() const override {
        return {.sockets_max = 64, .slow_reader = slow_reader_policy::close};
    }
};
INSTANTIATE_TEST_SUITE_P(backend, managed_close_policy_test, every_managed_backend(),
                         conformance::backend_name);

TEST_P(managed_close_policy_test, a_slow_reader_is_closed) {
    on_event_ = nullptr;
    const pair one = accept_one();
    (void)fill(*one.ours);
    ASSERT_TRUE(until_told(event_type::closed));
    EXPECT_EQ(close_reason::slow_reader, last(event_type::closed).reason);
}

}  // namespace
}  // namespace ioring::managed
