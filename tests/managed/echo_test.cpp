// SPDX-License-Identifier: MIT
// echo_test.cpp - bytes there and back, by every way to send them.

#include <algorithm>

#include "managed.hpp"

namespace ioring::managed {
namespace {

using conformance::pattern;

class managed_echo_test : public managed_test {};
INSTANTIATE_TEST_SUITE_P(backend, managed_echo_test, every_managed_backend(),
                         conformance::backend_name);

TEST_P(managed_echo_test, forwards_what_comes) {
    const pair one = accept_one();
    send(one.theirs, "hello");
    EXPECT_EQ("hello", receive(one.theirs, 5));
    send(one.theirs, "again");
    EXPECT_EQ("again", receive(one.theirs, 5));
}

TEST_P(managed_echo_test, writes_what_comes) {
    echo(/*forwards=*/false);
    const pair one = accept_one();
    send(one.theirs, "hello");
    EXPECT_EQ("hello", receive(one.theirs, 5));
}

TEST_P(managed_echo_test, serialises_in_place) {
    on_event_ = [](const socket_event& event) {
        if (event.type != event_type::received) return;
        const auto come = event.socket->readable();
        const auto room = event.socket->writable();
        ASSERT_LE(come.size(), room.size());
        std::reverse_copy(come.begin(), come.end(), room.begin());
        event.socket->commit_write(come.size());
        event.socket->consume(come.size());
    };
    const pair one = accept_one();
    send(one.theirs, "abc");
    EXPECT_EQ("cba", receive(one.theirs, 3));
}

// Much more than all buffers between hold, so that every one of them is full for a while.
TEST_P(managed_echo_test, moves_megabytes_in_order_through_full_buffers) {
    for (const bool forwards : {true, false}) {
        echo(forwards);
        const pair one = accept_one();
        const std::string all = pattern(8'000'000);
        std::string back;
        std::string_view rest = all;
        ASSERT_TRUE(until([&] {
            if (!rest.empty()) {
                const std::ptrdiff_t put =
                    conformance::plain::send(one.theirs.number(), rest.data(), rest.size());
                if (put > 0) rest.remove_prefix(static_cast<std::size_t>(put));
            }
            // The peer reads late and little, so that the manager is blocked.
            if (rest.empty() || back.size() + 3'000'000 < all.size() - rest.size()) {
                back += conformance::receive_some(one.theirs);
            }
            return back.size() >= all.size();
        })) << back.size()
            << " came back";
        EXPECT_TRUE(all == back);
    }
}

TEST_P(managed_echo_test, joins_what_the_program_leaves_unread) {
    on_event_ = [](const socket_event& event) {
        if (event.type != event_type::received) return;
        // A message is five bytes here; parts of one are left.
        socket& from = *event.socket;
        from.forward(from.readable().size() / 5 * 5);
    };
    const pair one = accept_one();
    send(one.theirs, "hel");
    ASSERT_TRUE(until_told(event_type::received));
    EXPECT_EQ(3u, one.ours->unread_bytes());
    send(one.theirs, "loagai");
    EXPECT_EQ("hello", receive(one.theirs, 5));
    EXPECT_EQ("agai", text_of(one.ours->readable()));
    send(one.theirs, "n");
    EXPECT_EQ("again", receive(one.theirs, 5));
    EXPECT_EQ(0u, one.ours->unread_bytes());
}

TEST_P(managed_echo_test, keeps_the_order_of_writes_and_forwards) {
    on_event_ = [](const socket_event& event) {
        if (event.type != event_type::received) return;
        socket& from = *event.socket;
        from.write(bytes_of("<"));
        from.forward(from.readable().size());
        from.write(bytes_of(">"));
    };
    const pair one = accept_one();
    send(one.theirs, "x");
    EXPECT_EQ("<x>", receive(one.theirs, 3));
    EXPECT_EQ(1u, sockets_.counters().bytes_copied);  // Short: they are one send.
    // A long one is not: it comes in one piece or several, each between its own brackets.
    const std::string bulk(10'000, 'y');
    send(one.theirs, bulk);
    std::string back;
    ASSERT_TRUE(until([&] {
        back += conformance::receive_some(one.theirs);
        const auto count_of = [&](char each) { return std::count(back.begin(), back.end(), each); };
        return count_of('y') == 10'000 && count_of('<') == count_of('>');
    }));
    EXPECT_EQ('<', back.front());
    EXPECT_EQ('>', back.back());
    EXPECT_EQ(std::string::npos, back.find("<<"));
    EXPECT_EQ(std::string::npos, back.find("><>"));
}

TEST_P(managed_echo_test, forwards_without_a_copy) {
    const pair one = accept_one();
    for (int i = 0; i < 3; ++i) {
        send(one.theirs, "hello");
        EXPECT_EQ("hello", receive(one.theirs, 5));
    }
    EXPECT_EQ(0u, sockets_.counters().bytes_copied);
}

TEST_P(managed_echo_test, forwards_to_another_connection) {
    const pair left = accept_one();
    const pair right = accept_one();
    on_event_ = [&](const socket_event& event) {
        if (event.type != event_type::received) return;
        socket& other = event.socket == left.ours ? *right.ours : *left.ours;
        event.socket->forward_to(other, event.socket->readable().size());
    };
    const std::string there = pattern(300'000, 1);
    send(left.theirs, there);
    EXPECT_TRUE(there == receive(right.theirs, there.size()));
    send(right.theirs, "back");
    EXPECT_EQ("back", receive(left.theirs, 4));
}

TEST_P(managed_echo_test, what_was_forwarded_survives_its_source) {
    const pair from = accept_one();
    const pair to = accept_one();
    on_event_ = nullptr;
    // Enough that it does not leave at once.
    const std::string bulk = pattern(60'000);
    send(from.theirs, bulk.substr(0, 3));
    ASSERT_TRUE(until_told(event_type::received));
    (void)turn(0ns);  // Into the connection's own buffer.
    send(from.theirs, bulk.substr(3));
    ASSERT_TRUE(until([&] { return from.ours->unread_bytes() == bulk.size(); }));
    std::size_t taken = 0;
    ASSERT_TRUE(until([&] {
        taken += from.ours->forward_to(*to.ours, from.ours->readable().size());
        return taken == bulk.size();
    }));
    from.ours->abort();
    ASSERT_TRUE(until_told(event_type::closed));
    EXPECT_TRUE(bulk == receive(to.theirs, bulk.size()));
}

class managed_address_test : public managed_test {};
INSTANTIATE_TEST_SUITE_P(backend, managed_address_test, every_managed_backend(),
                         conformance::backend_name);

TEST_P(managed_address_test, every_family_is_served_by_one_manager) {
    for (const std::string& where : conformance::stream_addresses()) {
        listener_id listener;
        std::string why;
        ASSERT_FALSE(sockets_.listen(where, {}, listener, &why)) << why;
        const std::size_t before = count(event_type::accepted);
        const socket_end theirs = conformance::connect_to(sockets_.local_endpoint(listener));
        ASSERT_TRUE(until_told(event_type::accepted, before + 1));
        EXPECT_EQ(listener, last(event_type::accepted).listener);
        send(theirs, where);
        EXPECT_EQ(where, receive(theirs, where.size()));
        EXPECT_TRUE(sockets_.close_listener(listener));
        EXPECT_FALSE(sockets_.close_listener(listener));
        EXPECT_EQ(0u, sockets_.local_endpoint(listener).size());
    }
}

TEST_P(managed_address_test, the_peer_is_known) {
    const pair one = accept_one();
    EXPECT_EQ(conformance::address_of(one.theirs), one.ours->peer());
    EXPECT_EQ(listener_, one.ours->listener());
}

TEST_P(managed_address_test, a_connect_reaches_a_listener) {
    const conformance::plain_listener there = conformance::listen_on("127.0.0.1:0");
    socket* ours = nullptr;
    ASSERT_FALSE(sockets_.connect(there.address, ours));
    ours->set_user(&ours);
    ASSERT_TRUE(until_told(event_type::connected));
    const socket_end theirs = conformance::accept_from(there.socket);
    EXPECT_EQ(there.address, ours->peer());
    EXPECT_EQ(&ours, ours->user());
    EXPECT_FALSE(ours->listener().valid());
    send(theirs, "ping");
    EXPECT_EQ("ping", receive(theirs, 4));
}

TEST_P(managed_address_test, a_connect_that_is_refused_is_closed_with_the_error) {
    endpoint nobody;
    {
        const conformance::plain_listener gone = conformance::listen_on("127.0.0.1:0");
        nobody = gone.address;
    }
    socket* ours = nullptr;
    ASSERT_FALSE(sockets_.connect(nobody, ours));
    const socket_id id = ours->id();
    ASSERT_TRUE(until_told(event_type::closed));
    EXPECT_EQ(id, last(event_type::closed).id);
    EXPECT_EQ(close_reason::connect_failed, last(event_type::closed).reason);
    EXPECT_EQ(std::errc::connection_refused, last(event_type::closed).error);
    EXPECT_EQ(0u, count(event_type::connected));
}

}  // namespace
}  // namespace ioring::managed
