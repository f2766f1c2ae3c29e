// SPDX-License-Identifier: MIT
// messages_test.cpp - messages reach the mailbox of their name, once, or are refused.
#include "backend/emulation/messages.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <thread>
#include <vector>

namespace ioring::backends::emulation {
namespace {

void count(void* told) noexcept { static_cast<std::atomic<int>*>(told)->fetch_add(1); }

TEST(messages_test, a_message_reaches_the_mailbox_of_that_name) {
    std::atomic<int> told{0};
    mailbox box{count, &told};
    mailbox other{count, &told};
    ASSERT_FALSE(box.open(1'000'001, 4));
    ASSERT_FALSE(other.open(1'000'002, 4));
    EXPECT_FALSE(box.pending());
    ASSERT_EQ(0, mailbox::send(1'000'001, {.user_data = 5, .res = 6, .flags = 7}));
    EXPECT_EQ(1, told);
    EXPECT_TRUE(box.pending());
    EXPECT_FALSE(other.pending());
    cqe got;
    ASSERT_TRUE(box.take(got));
    EXPECT_EQ(5U, got.user_data);
    EXPECT_EQ(6, got.res);
    EXPECT_EQ(7U, got.flags);
    EXPECT_FALSE(box.take(got));
    EXPECT_FALSE(box.pending());
}

TEST(messages_test, a_full_mailbox_refuses_and_keeps_what_it_has) {
    std::atomic<int> told{0};
    mailbox box{count, &told};
    ASSERT_FALSE(box.open(1'000'003, 64));
    for (std::uint64_t tag = 0; tag < 64; ++tag) {
        ASSERT_EQ(0, mailbox::send(1'000'003, {.user_data = tag}));
    }
    EXPECT_EQ(-EOVERFLOW, mailbox::send(1'000'003, {.user_data = 64}));
    cqe got;
    for (std::uint64_t tag = 0; tag < 64; ++tag) {
        ASSERT_TRUE(box.take(got));
        EXPECT_EQ(tag, got.user_data);
    }
}

TEST(messages_test, nobody_reaches_a_mailbox_that_is_closed) {
    std::atomic<int> told{0};
    mailbox box{count, &told};
    EXPECT_GT(0, mailbox::send(1'000'004, {}));
    ASSERT_FALSE(box.open(1'000'004, 4));
    box.close();
    box.close();
    EXPECT_GT(0, mailbox::send(1'000'004, {}));
    EXPECT_EQ(0, told);
}

TEST(messages_thread_test, many_threads_send_and_every_message_arrives_once) {
    constexpr std::uint64_t threads = 4;
    constexpr std::uint64_t each_sends = 2000;
    std::atomic<int> told{0};
    mailbox box{count, &told};
    ASSERT_FALSE(box.open(1'000'005, 64));
    std::vector<std::thread> senders;
    for (std::uint64_t sender = 0; sender < threads; ++sender) {
        senders.emplace_back([sender] {
            for (std::uint64_t index = 0; index < each_sends; ++index) {
                while (mailbox::send(1'000'005, {.user_data = sender * each_sends + index}) != 0) {
                    std::this_thread::yield();
                }
            }
        });
    }
    std::vector<std::uint64_t> next(threads, 0);
    for (std::uint64_t got = 0; got < threads * each_sends;) {
        cqe message;
        if (!box.take(message)) {
            std::this_thread::yield();
            continue;
        }
        ++got;
        // In the order in which that thread has sent them.
        EXPECT_EQ(next[message.user_data / each_sends]++, message.user_data % each_sends);
    }
    for (std::thread& sender : senders) sender.join();
}

}  // namespace
}  // namespace ioring::backends::emulation
