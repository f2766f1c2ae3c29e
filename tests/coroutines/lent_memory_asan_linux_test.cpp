// SPDX-License-Identifier: MIT
// lent_memory_asan_linux_test.cpp - what a read gave is the program's until the next one begins.
#include <gtest/gtest.h>

#include <chrono>
#include <span>
#include <string>

#include "loop_fixture.hpp"
#include "support/use_after_lend.hpp"

namespace ioring {
namespace {

using namespace std::chrono_literals;

class lent_read_test : public loop_fixture {};
IORING_ON_EVERY_BACKEND(lent_read_test);

TEST_P(lent_read_test, ends_with_the_next_read) {
    async_listener at = listening();
    std::span<const std::byte> first;
    bool reads_again = false;
    std::string second;
    const auto read_twice = [&]() -> task<> {
        async_socket peer = co_await at.accept();
        first = co_await peer.read();
        EXPECT_EQ("hello", text_of(first));
        reads_again = true;
        second = text_of(co_await peer.read());
    };
    const auto write_twice = [&]() -> task<> {
        async_socket peer = co_await connected(at);
        EXPECT_TRUE(co_await peer.write_all(bytes_of("hello")));
        while (!reads_again) (void)co_await loop_->sleep(1ms);
        EXPECT_LENT(tests::read_byte(first[0]));
        EXPECT_TRUE(co_await peer.write_all(bytes_of("again")));
    };
    loop_->spawn(read_twice());
    loop_->spawn(write_twice());
    EXPECT_EQ(0, loop_->run());
    EXPECT_EQ("again", second);
}

}  // namespace
}  // namespace ioring
