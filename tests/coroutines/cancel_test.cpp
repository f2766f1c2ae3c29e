// SPDX-License-Identifier: MIT
// cancel_test.cpp - what is awaited ends: by a cancel of its socket, a time-out, or the loop's
// stop.
#include <csignal>
#include <thread>
#include <vector>

#include "loop_fixture.hpp"

namespace ioring {
namespace {

using namespace std::chrono_literals;

class cancel_test : public loop_fixture {
protected:
    // Ends what is awaited on `which` as soon as the loop goes round again.
    template <class Which>
    task<> cancel_soon(Which& which) {
        EXPECT_TRUE(co_await loop_->sleep(5ms));
        EXPECT_TRUE(which.cancel());
    }
    // Two ends of a connection, through `at`.
    task<> join(async_listener& at, async_socket& client, async_socket& server) {
        client = co_await connected(at);
        server = co_await at.accept();
        EXPECT_TRUE(client.valid() && server.valid());
    }
};
IORING_ON_EVERY_BACKEND(cancel_test);

TEST_P(cancel_test, of_a_read_takes_no_byte_and_the_next_read_gets_it) {
    async_listener at = listening();
    async_socket ours;
    async_socket theirs;
    const auto whole = [&]() -> task<> {
        co_await join(at, ours, theirs);
        loop_->spawn(cancel_soon(ours));
        EXPECT_TRUE((co_await ours.read()).empty());
        EXPECT_EQ(std::errc::operation_canceled, ours.error());
        EXPECT_TRUE(co_await theirs.write_all(bytes_of("later")));
        EXPECT_EQ("later", text_of(co_await ours.read(patience)));
        EXPECT_FALSE(ours.error());
    };
    loop_->spawn(whole());
    EXPECT_EQ(0, loop_->run());
}

TEST_P(cancel_test, of_a_write_that_finds_no_room_ends_it_and_says_so) {
    async_listener at = listening();
    async_socket ours;
    async_socket theirs;
    const std::string much(32U << 20U, 'm');
    const auto whole = [&]() -> task<> {
        co_await join(at, ours, theirs);
        loop_->spawn(cancel_soon(ours));
        EXPECT_FALSE(co_await ours.write_all(bytes_of(much)));
        EXPECT_EQ(std::errc::operation_canceled, ours.error());
    };
    loop_->spawn(whole());
    EXPECT_EQ(0, loop_->run());
}

TEST_P(cancel_test, of_one_socket_leaves_the_others_alone) {
    async_listener at = listening();
    async_socket ours;
    async_socket theirs;
    const auto other = [&]() -> task<> { EXPECT_EQ("x", text_of(co_await theirs.read(patience))); };
    const auto whole = [&]() -> task<> {
        co_await join(at, ours, theirs);
        loop_->spawn(other());
        loop_->spawn(cancel_soon(ours));
        EXPECT_TRUE((co_await ours.read()).empty());
        EXPECT_TRUE(co_await ours.write_all(bytes_of("x")));
    };
    loop_->spawn(whole());
    EXPECT_EQ(0, loop_->run());
}

TEST_P(cancel_test, of_an_accept_leaves_the_listener_good) {
    async_listener at = listening();
    const auto whole = [&]() -> task<> {
        loop_->spawn(cancel_soon(at));
        EXPECT_FALSE((co_await at.accept()).valid());
        EXPECT_EQ(std::errc::operation_canceled, at.error());
        async_socket ours;
        async_socket theirs;
        co_await join(at, ours, theirs);
    };
    loop_->spawn(whole());
    EXPECT_EQ(0, loop_->run());
}

TEST_P(cancel_test, reaches_what_has_no_entry_yet) {
    async_listener at = listening();
    async_socket ours;
    async_socket theirs;
    int ended = 0;
    const auto sleeping = [&]() -> task<> {
        (void)co_await loop_->sleep(50ms);
        ++ended;
    };
    const auto reading = [&]() -> task<> {
        EXPECT_TRUE((co_await ours.read()).empty());
        EXPECT_EQ(std::errc::operation_canceled, ours.error());
        ++ended;
    };
    const auto whole = [&]() -> task<> {
        co_await join(at, ours, theirs);
        // More than the queue has entries for, so that the read waits behind them.
        for (int each = 0; each < 40; ++each) loop_->spawn(sleeping());
        loop_->spawn(reading());
        EXPECT_TRUE(ours.cancel());
    };
    loop_->spawn(whole());
    EXPECT_EQ(0, loop_->run());
    EXPECT_EQ(41, ended);
}

TEST_P(cancel_test, of_nothing_is_fine) {
    async_socket none;
    EXPECT_TRUE(none.cancel());
    async_listener at = listening();
    const auto whole = [&]() -> task<> {
        EXPECT_TRUE(at.cancel());
        EXPECT_TRUE(co_await loop_->sleep(1ms));
    };
    loop_->spawn(whole());
    EXPECT_EQ(0, loop_->run());
}

TEST_P(cancel_test, a_connect_that_nobody_answers_ends_by_its_time_or_by_the_stop) {
    listener full;
    ASSERT_FALSE(ring_.create_listener("127.0.0.1:0", {.backlog = 1}, full));
    std::vector<async_socket> waiting;
    bool timed_out = false;
    bool stopped = false;
    const auto whole = [&]() -> task<> {
        std::error_code error;
        // Until the backlog drops handshakes.
        for (int each = 0; each < 20 && !timed_out; ++each) {
            waiting.push_back(co_await connect(*loop_, full.local_endpoint(), 100ms, &error));
            timed_out = error == std::errc::timed_out;
            EXPECT_EQ(!timed_out, waiting.back().valid());
        }
        const auto stopping = [&]() -> task<> {
            EXPECT_TRUE(co_await loop_->sleep(10ms));
            loop_->stop();
        };
        loop_->spawn(stopping());
        EXPECT_FALSE(
            (co_await connect(*loop_, full.local_endpoint(), ring::forever, &error)).valid());
        stopped = error == std::errc::operation_canceled;
    };
    loop_->spawn(whole());
    EXPECT_EQ(0, loop_->run());
    EXPECT_TRUE(timed_out);
    EXPECT_TRUE(stopped);
}

TEST_P(cancel_test, a_stop_ends_a_write_and_a_read_of_one_socket) {
    async_listener at = listening();
    async_socket ours;
    async_socket theirs;
    const std::string much(32U << 20U, 'm');
    int ended = 0;
    const auto writing = [&]() -> task<> {
        EXPECT_FALSE(co_await ours.write_all(bytes_of(much)));
        ++ended;
    };
    const auto reading = [&]() -> task<> {
        EXPECT_TRUE((co_await ours.read()).empty());
        ++ended;
    };
    const auto whole = [&]() -> task<> {
        co_await join(at, ours, theirs);
        loop_->spawn(writing());
        loop_->spawn(reading());
        EXPECT_TRUE(co_await loop_->sleep(5ms));
        loop_->stop();
    };
    loop_->spawn(whole());
    EXPECT_EQ(0, loop_->run());
    EXPECT_EQ(2, ended);
}

TEST_P(cancel_test, a_stop_from_another_thread_ends_the_loop) {
    async_listener at = listening();
    std::thread other;
    const auto whole = [&]() -> task<> {
        other = std::thread{[this] { loop_->stop(); }};
        EXPECT_FALSE((co_await at.accept()).valid());
    };
    loop_->spawn(whole());
    EXPECT_EQ(0, loop_->run());
    other.join();
    EXPECT_TRUE(loop_->stopping());
}

std::atomic<event_loop*> to_stop{nullptr};

TEST_P(cancel_test, a_stop_from_a_signal_handler_ends_the_loop) {
    async_listener at = listening();
    to_stop = loop_.get();
    const auto before = std::signal(SIGINT, [](int) { to_stop.load()->stop(); });
    const auto signalling = [&]() -> task<> {
        EXPECT_TRUE(co_await loop_->sleep(5ms));
        std::raise(SIGINT);
    };
    const auto whole = [&]() -> task<> {
        loop_->spawn(signalling());
        EXPECT_FALSE((co_await at.accept()).valid());
    };
    loop_->spawn(whole());
    EXPECT_EQ(0, loop_->run());
    std::signal(SIGINT, before);
}

}  // namespace
}  // namespace ioring
