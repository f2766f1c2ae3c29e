// SPDX-License-Identifier: MIT
// allocation_alone_test.cpp - coroutines allocate nothing once as many have run as ever will.
//
// Of this whole test program operator new counts (support/allocation_counter.hpp).
#include "loop_fixture.hpp"
#include "support/allocation_counter.hpp"

namespace ioring {
namespace {

using namespace std::chrono_literals;
using test_support::allocation_count;

class allocation_test : public loop_fixture {
protected:
    // A frame for each message, as programs have that give each part of a protocol its coroutine.
    static task<std::size_t> answer(async_socket& peer) {
        const auto bytes = co_await peer.read();
        if (bytes.empty()) co_return 0;
        const bool is_sent = co_await peer.write_all(bytes);
        co_return is_sent ? bytes.size() : 0;
    }
    static task<> answer_all(async_socket peer) {
        for (;;) {
            const std::size_t bytes = co_await answer(peer);
            if (bytes == 0) co_return;
        }
    }
    static task<bool> ask(async_socket& peer) {
        const bool is_sent = co_await peer.write_all(bytes_of("a message"));
        if (!is_sent) co_return false;
        std::size_t heard = 0;
        while (heard < 9) {
            const auto bytes = co_await peer.read(patience);  // Its time-out is set each time.
            if (bytes.empty()) co_return false;
            heard += bytes.size();
        }
        co_return true;
    }
    task<> accept_all(async_listener& at) {
        for (;;) {
            async_socket peer = co_await at.accept();
            if (!peer.valid()) co_return;
            loop_->spawn(answer_all(std::move(peer)));
        }
    }
    task<> converse(const async_listener& at, int messages) {
        async_socket peer = co_await connected(at);
        for (int each = 0; each < messages; ++each) EXPECT_TRUE(co_await ask(peer));
    }
};
IORING_ON_EVERY_BACKEND(allocation_test);

TEST_P(allocation_test, a_thousand_messages_allocate_nothing) {
    async_listener at = listening();
    std::uint64_t allocations = 1;
    const auto client = [&]() -> task<> {
        async_socket peer = co_await connected(at);
        for (int each = 0; each < 20; ++each) EXPECT_TRUE(co_await ask(peer));
        const allocation_count counted;
        for (int each = 0; each < 1000; ++each) EXPECT_TRUE(co_await ask(peer));
        allocations = counted.get();
        loop_->stop();
    };
    loop_->spawn(accept_all(at));
    loop_->spawn(client());
    EXPECT_EQ(0, loop_->run());
    EXPECT_EQ(0U, allocations);
}

TEST_P(allocation_test, connections_that_come_and_go_allocate_nothing) {
    async_listener at = listening();
    std::uint64_t allocations = 1;
    // Windows' sockets get 1024 numbers in turn, for which the backend's tables grow.
    for (int each = 0; each < 600; ++each) {
        fd unused;
        ASSERT_FALSE(ring_.open_socket(address_family::ipv4, unused));
        ASSERT_EQ(0, ring_.close_now(unused));
    }
    const auto client = [&]() -> task<> {
        for (int each = 0; each < 20; ++each) co_await converse(at, 2);
        const allocation_count counted;
        for (int each = 0; each < 100; ++each) co_await converse(at, 2);
        allocations = counted.get();
        loop_->stop();
    };
    loop_->spawn(accept_all(at));
    loop_->spawn(client());
    EXPECT_EQ(0, loop_->run());
    EXPECT_EQ(0U, allocations);
}

TEST_P(allocation_test, sleeps_and_spawned_tasks_allocate_nothing) {
    std::uint64_t allocations = 1;
    const auto sleeper = [&]() -> task<> { EXPECT_TRUE(co_await loop_->sleep(1us)); };
    const auto whole = [&]() -> task<> {
        for (int warm_up = 1; warm_up >= 0; --warm_up) {
            const allocation_count counted;
            for (int each = 0; each < 100; ++each) {
                loop_->spawn(sleeper());
                EXPECT_TRUE(co_await loop_->sleep(1us));
            }
            EXPECT_TRUE(co_await loop_->sleep(10ms));
            allocations = counted.get();
        }
    };
    loop_->spawn(whole());
    EXPECT_EQ(0, loop_->run());
    EXPECT_EQ(0U, allocations);
}

}  // namespace
}  // namespace ioring
