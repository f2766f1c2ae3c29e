// SPDX-License-Identifier: MIT
// event_loop_test.cpp - coroutines on a ring: values, errors, bytes, time and the end.
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "loop_fixture.hpp"

namespace ioring {
namespace {

using namespace std::chrono_literals;

class event_loop_test : public loop_fixture {};
IORING_ON_EVERY_BACKEND(event_loop_test);

TEST_P(event_loop_test, a_task_gives_its_value_to_the_one_that_awaits_it) {
    const auto seven = []() -> task<int> { co_return 7; };
    const auto twice = [&]() -> task<int> { co_return 2 * co_await seven(); };
    int result = 0;
    const auto whole = [&]() -> task<> { result = co_await twice(); };
    loop_->spawn(whole());
    EXPECT_EQ(0, loop_->run());
    EXPECT_EQ(14, result);
}

TEST_P(event_loop_test, what_a_task_throws_reaches_the_one_that_awaits_it) {
    const auto failing = [this]() -> task<int> {
        (void)co_await loop_->sleep(1ms);
        throw std::runtime_error{"as wanted"};
    };
    std::string caught;
    const auto whole = [&]() -> task<> {
        try {
            (void)co_await failing();
        } catch (const std::runtime_error& error) {
            caught = error.what();
        }
    };
    loop_->spawn(whole());
    EXPECT_EQ(0, loop_->run());
    EXPECT_EQ("as wanted", caught);
}

TEST_P(event_loop_test, a_task_that_nobody_awaits_does_nothing) {
    bool ran = false;
    const auto unused = [&]() -> task<> {
        ran = true;
        co_return;
    };
    { const task<> dropped = unused(); }
    EXPECT_FALSE(ran);
}

TEST_P(event_loop_test, a_thousand_calls_deep_needs_no_deep_stack) {
    struct recursion {
        static task<int> down(int depth) {
            if (depth == 0) co_return 0;
            co_return 1 + co_await down(depth - 1);
        }
    };
    int depth = 0;
    const auto whole = [&]() -> task<> { depth = co_await recursion::down(1000); };
    loop_->spawn(whole());
    EXPECT_EQ(1000, depth);
}

TEST_P(event_loop_test, sleeps_end_in_the_order_of_their_times) {
    std::vector<int> order;
    const auto sleeper = [&](int number, std::chrono::milliseconds time) -> task<> {
        EXPECT_TRUE(co_await loop_->sleep(time));
        order.push_back(number);
    };
    loop_->spawn(sleeper(3, 60ms));
    loop_->spawn(sleeper(1, 10ms));
    loop_->spawn(sleeper(2, 30ms));
    EXPECT_EQ(0, loop_->run());
    EXPECT_EQ((std::vector{1, 2, 3}), order);
}

TEST_P(event_loop_test, more_operations_than_entries_wait_their_turn) {
    int ended = 0;
    const auto sleeper = [&]() -> task<> {
        EXPECT_TRUE(co_await loop_->sleep(1ms));
        ++ended;
    };
    for (int each = 0; each < 500; ++each) loop_->spawn(sleeper());
    EXPECT_EQ(0, loop_->run());
    EXPECT_EQ(500, ended);
}

TEST_P(event_loop_test, bytes_go_there_and_back_until_the_end_of_the_stream) {
    async_listener at = listening();
    loop_->spawn(serve(at, 20));
    int served = 0;
    const auto client = [&](int number) -> task<> {
        async_socket peer = co_await connected(at);
        EXPECT_TRUE(peer.valid());
        const std::string said(static_cast<std::size_t>(1 + number * 10'000), 'a');
        EXPECT_TRUE(co_await peer.write_all(bytes_of(said)));
        peer.shutdown_write();
        std::string heard;
        for (auto bytes = co_await peer.read(); !bytes.empty(); bytes = co_await peer.read()) {
            heard += text_of(bytes);
        }
        EXPECT_FALSE(peer.error()) << peer.error().message();
        EXPECT_EQ(said, heard);
        ++served;
    };
    for (int number = 0; number < 20; ++number) loop_->spawn(client(number));
    EXPECT_EQ(0, loop_->run());
    EXPECT_EQ(20, served);
}

TEST_P(event_loop_test, a_read_that_takes_too_long_ends_and_another_may_follow) {
    async_listener at = listening();
    const auto server = [&]() -> task<> {
        async_socket peer = co_await at.accept();
        EXPECT_TRUE((co_await peer.read(5ms)).empty());
        EXPECT_EQ(std::errc::operation_canceled, peer.error());
        EXPECT_TRUE(co_await peer.write_all(bytes_of("now")));
        EXPECT_EQ("text", text_of(co_await peer.read(patience)));
    };
    const auto client = [&]() -> task<> {
        async_socket peer = co_await connected(at);
        EXPECT_EQ("now", text_of(co_await peer.read()));
        EXPECT_TRUE(co_await peer.write_all(bytes_of("text")));
        EXPECT_TRUE((co_await peer.read()).empty());
    };
    loop_->spawn(server());
    loop_->spawn(client());
    EXPECT_EQ(0, loop_->run());
}

TEST_P(event_loop_test, one_coroutine_may_read_while_another_one_writes) {
    async_listener at = listening();
    constexpr std::size_t much = 4'000'000;
    std::size_t heard = 0;
    loop_->spawn(serve(at, 1));
    async_socket peer;
    const auto writer = [&]() -> task<> {
        const std::string piece(much, 'w');
        EXPECT_TRUE(co_await peer.write_all(bytes_of(piece)));
        peer.shutdown_write();
    };
    const auto reader = [&]() -> task<> {
        for (auto bytes = co_await peer.read(); !bytes.empty(); bytes = co_await peer.read()) {
            heard += bytes.size();
        }
        peer.close();
    };
    const auto both = [&]() -> task<> {
        peer = co_await connected(at);
        loop_->spawn(writer());
        loop_->spawn(reader());
    };
    loop_->spawn(both());
    EXPECT_EQ(0, loop_->run());
    EXPECT_EQ(much, heard);
}

TEST_P(event_loop_test, a_refused_connection_is_an_error) {
    endpoint nobody_there;
    { nobody_there = listening().local_endpoint(); }
    const auto client = [&]() -> task<> {
        std::error_code error;
        const async_socket peer = co_await connect(*loop_, nobody_there, patience, &error);
        EXPECT_FALSE(peer.valid());
        EXPECT_EQ(std::errc::connection_refused, error);
    };
    loop_->spawn(client());
    EXPECT_EQ(0, loop_->run());
}

TEST_P(event_loop_test, a_stop_ends_all_that_waits_and_refuses_what_would) {
    async_listener at = listening();
    int ended = 0;
    std::vector<async_socket> held;
    const auto accepting = [&]() -> task<> {
        for (;;) {
            async_socket peer = co_await at.accept();
            if (!peer.valid()) break;
            held.push_back(std::move(peer));
        }
        EXPECT_EQ(std::errc::operation_canceled, at.error());
        ++ended;
    };
    const auto sleeping = [&]() -> task<> {
        EXPECT_FALSE(co_await loop_->sleep(1h));
        EXPECT_FALSE(co_await loop_->sleep(1h));
        ++ended;
    };
    const auto reading = [&]() -> task<> {
        async_socket peer = co_await connected(at);
        EXPECT_TRUE((co_await peer.read()).empty());
        EXPECT_EQ(std::errc::operation_canceled, peer.error());
        ++ended;
    };
    const auto stopping = [&]() -> task<> {
        EXPECT_TRUE(co_await loop_->sleep(30ms));
        loop_->stop();
    };
    loop_->spawn(accepting());
    // More than there are entries for, so that some wait without one.
    for (int each = 0; each < 40; ++each) loop_->spawn(sleeping());
    loop_->spawn(reading());
    loop_->spawn(stopping());
    EXPECT_EQ(0, loop_->run());
    EXPECT_EQ(42, ended);
    EXPECT_EQ(0U, loop_->tasks());
}

TEST(frame_pool_test, a_frame_that_was_given_back_is_the_next_of_its_size) {
    detail::frame_pool pool;
    void* const first = pool.allocate(100);
    void* const other = pool.allocate(300);
    pool.free(first, 100);
    EXPECT_EQ(first, pool.allocate(120));  // Rounded to the same size.
    pool.free(first, 120);
    void* const another = pool.allocate(300);
    EXPECT_NE(first, another);
    pool.free(another, 300);
    pool.free(other, 300);
    void* const large = pool.allocate(detail::frame_pool::frame_bytes_max + 1);
    pool.free(large, detail::frame_pool::frame_bytes_max + 1);
}

}  // namespace
}  // namespace ioring
