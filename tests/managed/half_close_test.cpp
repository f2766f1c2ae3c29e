// SPDX-License-Identifier: MIT
// half_close_test.cpp - one side ends and the other goes on: shutdown_write().
#include "ioring/ring_buffer.hpp"
#include "managed.hpp"

namespace ioring::managed {
namespace {

using conformance::pattern;

class managed_half_close_test : public managed_test {
protected:
    [[nodiscard]] manager_options manager() const override {
        return {.sockets_max = 64, .drain_timeout = 200ms};
    }
    // Keeps what comes and answers nothing.
    void listen_only() {
        on_event_ = [this](const socket_event& event) {
            if (event.type != event_type::received) return;
            came_ += text_of(event.socket->readable());
            event.socket->consume(event.socket->readable().size());
        };
    }
    void expect_closed(close_reason reason, std::size_t times = 1) {
        ASSERT_TRUE(until_told(event_type::closed, times));
        EXPECT_EQ(reason, last(event_type::closed).reason);
        (void)turn(0ns);
        EXPECT_EQ(times, count(event_type::closed));
        EXPECT_EQ(0u, sockets_.size());
    }
    std::string came_;
};
INSTANTIATE_TEST_SUITE_P(backend, managed_half_close_test, every_managed_backend(),
                         conformance::backend_name);

TEST_P(managed_half_close_test, sends_what_is_queued_and_then_the_end_and_goes_on_receiving) {
    listen_only();
    pair one = accept_one();
    const std::string bulk = pattern(60'000);
    EXPECT_EQ(bulk.size(), one.ours->write(bytes_of(bulk)));
    one.ours->shutdown_write();
    EXPECT_TRUE(bulk == receive_to_end(one.theirs));
    EXPECT_TRUE(one.ours->is_open());
    const std::string answer = pattern(300'000, 3);
    send(one.theirs, answer);
    ASSERT_TRUE(until([&] { return came_.size() == answer.size(); }));
    EXPECT_TRUE(answer == came_);
    EXPECT_EQ(0u, count(event_type::closed));
    one.theirs.close();
    expect_closed(close_reason::closed);
    EXPECT_EQ(1u, count(event_type::peer_closed));
    EXPECT_EQ(0u, sockets_.counters().reset);
}

TEST_P(managed_half_close_test, with_nothing_unsent_tells_the_peer_at_once_and_only_once) {
    listen_only();
    pair one = accept_one();
    one.ours->shutdown_write();
    one.ours->shutdown_write();
    EXPECT_EQ("", receive_to_end(one.theirs));
    one.ours->shutdown_write();
    send(one.theirs, "still heard");
    ASSERT_TRUE(until([&] { return came_ == "still heard"; }));
    one.theirs.close();
    expect_closed(close_reason::closed);
}

TEST_P(managed_half_close_test, nothing_is_taken_and_nothing_told_of_room_afterwards) {
    on_event_ = nullptr;
    const pair one = accept_one();
    const pair other = accept_one();
    (void)fill(*one.ours);  // Blocked: it would be told when there is room.
    const std::size_t blocked = count(event_type::send_blocked);
    const std::size_t writable = count(event_type::writable);
    one.ours->shutdown_write();
    const std::uint32_t unsent = one.ours->unsent_bytes();
    EXPECT_EQ(0u, one.ours->write(bytes_of("too late")));
    EXPECT_TRUE(one.ours->writable().empty());
    one.ours->commit_write(8);
    send(other.theirs, "for one");
    ASSERT_TRUE(until([&] { return other.ours->unread_bytes() == 7; }));
    EXPECT_EQ(0u, other.ours->forward_to(*one.ours, 7));
    EXPECT_EQ(7u, other.ours->unread_bytes());
    EXPECT_EQ(unsent, one.ours->unsent_bytes());
    (void)receive_to_end(one.theirs);
    EXPECT_EQ(0u, one.ours->unsent_bytes());
    EXPECT_EQ(blocked, count(event_type::send_blocked));
    EXPECT_EQ(writable, count(event_type::writable));
}

// What waits for room is told that there will be none.
TEST_P(managed_half_close_test, a_source_that_waits_for_room_waits_no_longer) {
    on_event_ = nullptr;
    const pair from = accept_one();
    const pair to = accept_one();
    (void)fill(*to.ours);
    send(from.theirs, "via");
    ASSERT_TRUE(until([&] { return from.ours->unread_bytes() == 3; }));
    EXPECT_EQ(0u, from.ours->forward_to(*to.ours, 3));
    for (int i = 0; i < 5; ++i) (void)turn(1ms);
    const std::size_t before = count(event_type::received);
    to.ours->shutdown_write();
    ASSERT_TRUE(until_told(event_type::received, before + 1));
    EXPECT_EQ(from.ours->id(), last(event_type::received).id);
}

TEST_P(managed_half_close_test, drained_is_told_with_the_last_byte) {
    listen_only();
    const pair one = accept_one();
    EXPECT_EQ(4u, one.ours->write(bytes_of("last")));
    one.ours->shutdown_write();
    one.ours->notify_drained();
    EXPECT_EQ("last", receive_to_end(one.theirs));
    ASSERT_TRUE(until_told(event_type::drained));
}

TEST_P(managed_half_close_test, close_afterwards_waits_for_the_peer_and_no_longer_than_its_time) {
    listen_only();
    const pair polite = accept_one();
    polite.ours->shutdown_write();
    polite.ours->close();
    EXPECT_EQ("", receive_to_end(polite.theirs));
    conformance::shut_down(polite.theirs, shutdown_how::write);
    expect_closed(close_reason::closed);
    const pair rude = accept_one();
    EXPECT_EQ(4u, rude.ours->write(bytes_of("last")));
    rude.ours->shutdown_write();
    rude.ours->close();
    EXPECT_EQ("last", receive_to_end(rude.theirs));
    expect_closed(close_reason::drain_timeout, 2);
    EXPECT_EQ(1u, sockets_.counters().reset);
}

TEST_P(managed_half_close_test, a_reset_afterwards_is_the_end) {
    listen_only();
    pair one = accept_one();
    one.ours->shutdown_write();
    EXPECT_EQ("", receive_to_end(one.theirs));
    begin_to_receive();
    one.theirs.reset();
    expect_closed(close_reason::failed);
}

TEST_P(managed_half_close_test, before_a_connect_stands_it_does_nothing) {
    const conformance::plain_listener there = conformance::listen_on("127.0.0.1:0");
    socket* ours = nullptr;
    ASSERT_FALSE(sockets_.connect(there.address, ours));
    ours->shutdown_write();
    ASSERT_TRUE(until_told(event_type::connected));
    EXPECT_EQ(2u, ours->write(bytes_of("hi")));
    const socket_end theirs = conformance::accept_from(there.socket);
    EXPECT_EQ("hi", receive(theirs, 2));
}

// A peer that has ended its side is answered for as long as the program likes.
class managed_both_halves_test : public managed_half_close_test {
protected:
    [[nodiscard]] manager_options manager() const override {
        return {.sockets_max = 64,
                .buffer_bytes = static_cast<std::uint32_t>(ring_buffer::granularity()),
                .allow_half_open = true};
    }
    // What one connection's peer sends goes to the other's, its end included.
    void join(const pair& left, const pair& right) {
        const socket_id ids[] = {left.ours->id(), right.ours->id()};
        on_event_ = [this, ids](const socket_event& event) {
            if (event.socket == nullptr) return;
            socket* const other = sockets_.find(event.socket->id() == ids[0] ? ids[1] : ids[0]);
            if (other == nullptr) return;
            socket& from = *event.socket;
            if (event.type == event_type::received) {
                from.forward_to(*other, from.readable().size());
            }
            if (event.type == event_type::peer_closed) other->shutdown_write();
        };
    }
};
INSTANTIATE_TEST_SUITE_P(backend, managed_both_halves_test, every_managed_backend(),
                         conformance::backend_name);

TEST_P(managed_both_halves_test, stays_until_the_program_ends_its_side_too) {
    listen_only();
    const pair one = accept_one();
    conformance::shut_down(one.theirs, shutdown_how::write);
    ASSERT_TRUE(until_told(event_type::peer_closed));
    for (int i = 0; i < 10; ++i) (void)turn(1ms);
    EXPECT_EQ(0u, count(event_type::closed));
    EXPECT_EQ(7u, one.ours->write(bytes_of("goodbye")));
    one.ours->shutdown_write();
    EXPECT_EQ("goodbye", receive_to_end(one.theirs));
    expect_closed(close_reason::closed);
    EXPECT_EQ(0u, sockets_.counters().reset);
}

TEST_P(managed_both_halves_test, bytes_that_are_unread_at_the_end_of_both_sides_can_be_read) {
    on_event_ = nullptr;
    const pair one = accept_one();
    send(one.theirs, "unread");
    conformance::shut_down(one.theirs, shutdown_how::write);
    ASSERT_TRUE(until_told(event_type::received));
    one.ours->shutdown_write();
    EXPECT_EQ("", receive_to_end(one.theirs));
    for (int i = 0; i < 10; ++i) (void)turn(1ms);
    EXPECT_EQ(0u, count(event_type::closed));
    EXPECT_EQ("unread", text_of(one.ours->readable()));
    one.ours->consume(6);
    expect_closed(close_reason::closed);
}

// Who waits for the rest of a request must learn that it will never come, although peer_closed does
// not come before the last byte was read.
TEST_P(managed_both_halves_test, the_end_behind_unread_bytes_is_told_by_them) {
    bool had_ended = false;
    on_event_ = [&](const socket_event& event) {
        if (event.type == event_type::received) had_ended = event.socket->peer_has_ended();
    };
    const pair one = accept_one();
    EXPECT_FALSE(one.ours->peer_has_ended());
    send(one.theirs, "half a requ");
    ASSERT_TRUE(until_told(event_type::received));
    EXPECT_FALSE(had_ended);
    const std::size_t before = count(event_type::received);
    conformance::shut_down(one.theirs, shutdown_how::write);
    ASSERT_TRUE(until([&] { return had_ended; }));
    EXPECT_LT(before, count(event_type::received));
    EXPECT_TRUE(one.ours->peer_has_ended());
    EXPECT_EQ("half a requ", text_of(one.ours->readable()));
    EXPECT_EQ(0u, count(event_type::peer_closed));
    const std::size_t told = count(event_type::received);
    for (int i = 0; i < 10; ++i) (void)turn(1ms);
    EXPECT_EQ(told, count(event_type::received));  // Once.
    one.ours->close();
    expect_closed(close_reason::closed);
}

// The request goes through buffers that are full, then its end, then the answer the other way.
TEST_P(managed_both_halves_test, a_proxy_passes_each_end_behind_the_last_byte_of_its_direction) {
    on_event_ = nullptr;
    const pair left = accept_one();
    const pair right = accept_one();
    join(left, right);
    const std::string request = pattern(2'000'000, 1);
    const std::string answer = pattern(1'000'000, 2);
    std::string_view rest = request;
    std::string got;
    ASSERT_TRUE(until([&] {
        const std::ptrdiff_t put =
            conformance::plain::send(left.theirs.number(), rest.data(), rest.size());
        if (put > 0) rest.remove_prefix(static_cast<std::size_t>(put));
        if (put > 0 && rest.empty()) conformance::shut_down(left.theirs, shutdown_how::write);
        // Late, so that there is no room for a while.
        if (rest.empty() || count(event_type::send_blocked) != 0) {
            got += conformance::receive_some(right.theirs);
        }
        return got.size() >= request.size();
    }));
    got += receive_to_end(right.theirs);
    EXPECT_TRUE(request == got);
    EXPECT_EQ(0u, count(event_type::closed));
    send(right.theirs, answer.substr(0, 10));
    EXPECT_EQ(answer.substr(0, 10), receive(left.theirs, 10));
    std::string back;
    rest = std::string_view{answer}.substr(10);
    ASSERT_TRUE(until([&] {
        const std::ptrdiff_t put =
            conformance::plain::send(right.theirs.number(), rest.data(), rest.size());
        if (put > 0) rest.remove_prefix(static_cast<std::size_t>(put));
        back += conformance::receive_some(left.theirs);
        return rest.empty();
    }));
    conformance::shut_down(right.theirs, shutdown_how::write);
    back += receive_to_end(left.theirs);
    EXPECT_TRUE(answer.substr(10) == back);
    expect_closed(close_reason::closed, 2);
    EXPECT_EQ(2u, count(event_type::peer_closed));
    EXPECT_EQ(0u, sockets_.counters().reset);
}

}  // namespace
}  // namespace ioring::managed
