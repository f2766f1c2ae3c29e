// SPDX-License-Identifier: MIT
// probe_test.cpp - whether Registered I/O is believed to work, and the reason when it is not.
#include <string>

#include <gtest/gtest.h>

#include "backend/rio/rio_system.hpp"
#include "world.hpp"

namespace ioring::rio_tests {
namespace {

using backends::rio::works;

class probe_test : public testing::Test {
protected:
    void TearDown() override {
        EXPECT_EQ("", world_->the_double()->leftovers());
        EXPECT_TRUE(world_->the_double()->violations().empty());
    }
    [[nodiscard]] std::string refusal() {
        std::string why;
        EXPECT_FALSE(works(system_, why));
        return why;
    }

    std::unique_ptr<world> world_ = make_memory_world();
    backends::rio::system system_ = world_->system();
};

TEST_F(probe_test, makes_a_queue_of_each_kind_and_gives_them_back) {
    std::string why;
    EXPECT_TRUE(works(system_, why)) << why;
    EXPECT_EQ(1u, world_->the_double()->calls(call::create_request_queue));
}

TEST_F(probe_test, a_table_that_is_too_small_is_none) {
    system_.table.bytes = 104;
    EXPECT_EQ("the function table has 104 bytes in place of 112", refusal());
}

TEST_F(probe_test, each_function_must_be_there) {
    const auto without = [&](auto abi::function_table::*function) {
        system_ = world_->system();
        system_.table.*function = nullptr;
        return refusal();
    };
    EXPECT_EQ("the function table lacks RIOReceive", without(&abi::function_table::receive));
    EXPECT_EQ("the function table lacks RIOReceiveEx", without(&abi::function_table::receive_ex));
    EXPECT_EQ("the function table lacks RIOSend", without(&abi::function_table::send));
    EXPECT_EQ("the function table lacks RIOSendEx", without(&abi::function_table::send_ex));
    EXPECT_EQ("the function table lacks RIOCloseCompletionQueue",
              without(&abi::function_table::close_completion_queue));
    EXPECT_EQ("the function table lacks RIOCreateCompletionQueue",
              without(&abi::function_table::create_completion_queue));
    EXPECT_EQ("the function table lacks RIOCreateRequestQueue",
              without(&abi::function_table::create_request_queue));
    EXPECT_EQ("the function table lacks RIODequeueCompletion",
              without(&abi::function_table::dequeue_completion));
    EXPECT_EQ("the function table lacks RIODeregisterBuffer",
              without(&abi::function_table::deregister_buffer));
    EXPECT_EQ("the function table lacks RIONotify", without(&abi::function_table::notify));
    EXPECT_EQ("the function table lacks RIORegisterBuffer",
              without(&abi::function_table::register_buffer));
    EXPECT_EQ("the function table lacks RIOResizeCompletionQueue",
              without(&abi::function_table::resize_completion_queue));
    EXPECT_EQ("the function table lacks RIOResizeRequestQueue",
              without(&abi::function_table::resize_request_queue));
}

// What some security products do: the table is there, and its queues are not to be had.
TEST_F(probe_test, queues_that_cannot_be_made_are_the_reason) {
    world_->the_double()->fail(call::create_request_queue, abi::code::no_buffers);
    EXPECT_EQ("RIOCreateRequestQueue failed with 10055", refusal());
    world_->the_double()->fail(call::create_completion_queue, abi::code::no_buffers);
    EXPECT_EQ("RIOCreateCompletionQueue failed with 10055", refusal());
}

TEST_F(probe_test, a_socket_that_cannot_be_made_is_the_reason) {
    system_.open_socket = []() noexcept { return abi::invalid_socket; };
    system_.last_error = []() noexcept { return std::int32_t{10024}; };
    EXPECT_EQ("a socket for Registered I/O failed with 10024", refusal());
}

}  // namespace
}  // namespace ioring::rio_tests
