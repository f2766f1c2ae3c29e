// SPDX-License-Identifier: MIT
// violations_test.cpp - what Windows leaves undefined is written down by the double.
#include <string>
#include <thread>
#include <vector>

#include "rio_test_support.hpp"

namespace ioring::rio_tests {
namespace {

using list = std::vector<std::string>;

class violations_test : public table_test {
protected:
    // Only a double has such a list.
    void SetUp() override {
        table_test::SetUp();
        if (world_ != nullptr && world_->the_double() == nullptr) GTEST_SKIP() << "no double";
    }
    // Since the last call.
    [[nodiscard]] list violations() {
        const list all = world_->the_double()->violations();
        world_->the_double()->forget_violations();
        return all;
    }
};
INSTANTIATE_TEST_SUITE_P(world, violations_test, testing::ValuesIn(worlds()), world_name);

TEST_P(violations_test, a_registration_that_is_being_sent_from_is_sent_from_again) {
    open(1, 2);
    ASSERT_TRUE(send("ab"));
    EXPECT_EQ(list{}, violations());
    // It has gone out, but nobody has taken its completion.
    EXPECT_EQ("ab", world_->receive(pair_.peer, 2));
    ASSERT_TRUE(send("cd", 0, 0, /*offset=*/16));
    EXPECT_EQ(list{"a registration that is being sent from is used again"}, violations());
    EXPECT_EQ(2u, take(2).size());
    ASSERT_TRUE(send("ef"));
    EXPECT_EQ(list{}, violations());
    EXPECT_EQ(1u, take(1).size());
}

TEST_P(violations_test, a_registration_that_is_received_into_is_sent_from) {
    open();
    ASSERT_TRUE(receive(0, 4));
    abi::buffer part{.id = for_receive_, .offset = 8, .length = 4};
    ASSERT_NE(0, table().send(requests_, &part, 1, 0, nullptr));
    EXPECT_EQ(list{"a send from a registration that is received into"}, violations());
}

TEST_P(violations_test, one_slab_for_the_sends_of_two_sockets) {
    open();
    const world::pair other = world_->connect(true);
    const abi::request_queue second = make_requests(other.rio, 1, 1);
    ASSERT_TRUE(send("ab"));
    abi::buffer part{.id = for_send_, .offset = 100, .length = 2};
    ASSERT_NE(0, table().send(second, &part, 1, 0, nullptr));
    EXPECT_EQ(list{"a registration that is being sent from is used again"}, violations());
    EXPECT_EQ(2u, take(2).size());
    close(other.rio);
    close(other.peer);
}

TEST_P(violations_test, two_receives_into_the_same_memory) {
    open(2, 1);
    ASSERT_TRUE(receive(0, 4));
    ASSERT_TRUE(receive(4, 4)) << "beside it is fine";
    EXPECT_EQ(list{}, violations());
    world_->send(pair_.peer, "aaaabbbb");
    EXPECT_EQ(2u, take(2).size());
    ASSERT_TRUE(receive(0, 4));
    ASSERT_TRUE(receive(3, 4));
    EXPECT_EQ(list{"a receive overlaps another request"}, violations());
}

TEST_P(violations_test, a_registration_is_given_up_while_it_is_in_use) {
    open();
    const abi::buffer_id early = table().register_buffer(memory_.data(), 8);
    abi::buffer part{.id = early, .offset = 0, .length = 4};
    ASSERT_NE(0, table().receive(requests_, &part, 1, 0, nullptr));
    table().deregister_buffer(early);
    EXPECT_EQ(list{"a registration is given up while it is in use"}, violations());
}

TEST_P(violations_test, a_completion_queue_is_closed_while_requests_are_outstanding) {
    const abi::completion_queue early = make_completions(4);
    const world::pair both = world_->connect(true);
    const abi::request_queue on =
        table().create_request_queue(both.rio, 1, 1, 1, 1, early, early, nullptr);
    abi::buffer part{.id = for_receive_, .offset = 0, .length = 4};
    ASSERT_NE(0, table().receive(on, &part, 1, 0, nullptr));
    table().close_completion_queue(early);
    EXPECT_EQ(list{"a completion queue is closed while requests are outstanding"}, violations());
    abi::result unused;
    EXPECT_EQ(abi::corrupt_completion_queue, table().dequeue_completion(early, &unused, 1));
    EXPECT_EQ(list{"a completion queue is used that was closed"}, violations());
    close(both.rio);  // Its completion is dropped in silence.
    close(both.peer);
}

TEST_P(violations_test, a_request_on_a_queue_whose_socket_is_closed) {
    open();
    close(pair_.rio);
    pair_.rio = abi::invalid_socket;
    EXPECT_FALSE(receive(0, 4));
    EXPECT_EQ(list{"a request on a queue whose socket is closed"}, violations());
}

TEST_P(violations_test, a_second_request_queue_for_one_socket) {
    open();
    EXPECT_EQ(abi::invalid_request_queue, make_requests(pair_.rio, 1, 1));
    EXPECT_EQ(list{"a second request queue for one socket"}, violations());
}

TEST_P(violations_test, plain_calls_on_a_socket_that_has_a_request_queue) {
    open();
    world_->send(pair_.rio, "a");
    EXPECT_EQ(list{"send on a socket that has a request queue"}, violations());
    world_->send(pair_.peer, "b");
    EXPECT_EQ("b", world_->receive(pair_.rio, 1));
    EXPECT_EQ(list{"recv on a socket that has a request queue"}, violations());
}

TEST_P(violations_test, two_threads_are_in_one_completion_queue) {
    world_->the_double()->pause_in(call::dequeue_completion, [&] {
        std::thread other([&] { EXPECT_TRUE(take_ready().empty()); });
        other.join();
    });
    EXPECT_TRUE(take_ready().empty());
    EXPECT_EQ(list{"two threads in one completion queue"}, violations());
    std::thread later([&] { EXPECT_TRUE(take_ready().empty()); });
    later.join();
    EXPECT_EQ(list{}, violations()) << "one after the other is fine";
}

TEST_P(violations_test, two_threads_are_in_one_request_queue) {
    open(2, 1);
    world_->the_double()->pause_in(call::receive, [&] {
        std::thread other([&] { EXPECT_TRUE(send("a")); });
        other.join();
    });
    ASSERT_TRUE(receive(0, 1));
    EXPECT_EQ(list{"two threads in one request queue"}, violations());
}

TEST_P(violations_test, committing_in_a_second_thread_is_none) {
    open(2, 1);
    world_->the_double()->pause_in(call::receive, [&] {
        std::thread other([&] { EXPECT_TRUE(commit(/*sends=*/false)); });
        other.join();
    });
    ASSERT_TRUE(receive(0, 1));
    EXPECT_EQ(list{}, violations());
}

}  // namespace
}  // namespace ioring::rio_tests
