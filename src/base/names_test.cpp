// SPDX-License-Identifier: MIT
// names_test.cpp - entries in words: nothing is left out, nothing is named wrongly.
#include "ioring/names.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <set>

#include "ioring/prep.hpp"

namespace ioring {
namespace {

TEST(names_test, each_opcode_has_a_name_of_its_own) {
    std::set<std::string_view> names;
    for (const opcode op : {opcode::nop,
                            opcode::readv,
                            opcode::writev,
                            opcode::read_fixed,
                            opcode::write_fixed,
                            opcode::poll_add,
                            opcode::poll_remove,
                            opcode::sendmsg,
                            opcode::recvmsg,
                            opcode::timeout,
                            opcode::timeout_remove,
                            opcode::accept,
                            opcode::async_cancel,
                            opcode::link_timeout,
                            opcode::connect,
                            opcode::close,
                            opcode::read,
                            opcode::write,
                            opcode::send,
                            opcode::recv,
                            opcode::provide_buffers,
                            opcode::remove_buffers,
                            opcode::shutdown,
                            opcode::msg_ring,
                            opcode::socket,
                            opcode::uring_cmd,
                            opcode::send_zc,
                            opcode::sendmsg_zc,
                            opcode::read_multishot,
                            opcode::bind,
                            opcode::listen}) {
        EXPECT_NE("?", to_string(op));
        EXPECT_TRUE(names.insert(to_string(op)).second) << to_string(op);
    }
    EXPECT_EQ("?", to_string(static_cast<opcode>(250)));
}

TEST(names_test, flags_are_named_and_unknown_bits_stay_visible) {
    EXPECT_EQ("", sqe_flag_names(0));
    EXPECT_EQ("io_link|cqe_skip_success",
              sqe_flag_names(sqe_flag::io_link | sqe_flag::cqe_skip_success));
    EXPECT_EQ("fixed_file|0x80", sqe_flag_names(0x81));
    EXPECT_EQ("more|buffer_more|0x20",
              cqe_flag_names(cqe_flag::more | cqe_flag::buffer_more | 0x20));
}

TEST(names_test, the_opcode_says_what_its_flags_mean) {
    EXPECT_EQ("multishot", ioprio_names(opcode::accept, accept_flag::multishot));
    EXPECT_EQ("poll_first", ioprio_names(opcode::recv, transfer_flag::poll_first));
    EXPECT_EQ("0x1", ioprio_names(opcode::nop, 1));
    EXPECT_EQ("wait_all", op_flag_names(opcode::send, msg_flag::wait_all));
    EXPECT_EQ("in|hup", op_flag_names(opcode::poll_add, poll_event::in | poll_event::hup));
    EXPECT_EQ("multishot", op_flag_names(opcode::timeout, timeout_flag::multishot));
    EXPECT_EQ("all|by_fd",
              op_flag_names(opcode::async_cancel, cancel_flag::all | cancel_flag::by_fd));
    EXPECT_EQ("nonblock", op_flag_names(opcode::accept, socket_flag::nonblock));
    EXPECT_EQ("cqe_skip", op_flag_names(opcode::msg_ring, msg_ring_flag::cqe_skip));
    EXPECT_EQ("0x7", op_flag_names(opcode::nop, 7));
}

TEST(names_test, a_submission_is_one_line_of_what_it_says) {
    std::array<std::byte, 64> bytes{};
    sqe entry;
    prep_recv(entry, fd{5}, bytes, msg_flag::wait_all, /*user_data=*/0x1f);
    EXPECT_EQ("recv fd 5 len 64 op_flags wait_all user_data 0x1f", to_string(entry));
    prep_recv_multishot(entry, fd{5}, /*buffer_group=*/0, /*msg_flags=*/0, /*user_data=*/1);
    EXPECT_EQ("recv fd 5 flags buffer_select ioprio multishot group 0 user_data 0x1",
              to_string(entry));
    prep_cancel(entry, /*target=*/0x10, /*cancel_flags=*/0, /*user_data=*/2);
    EXPECT_EQ("async_cancel target 0x10 user_data 0x2", to_string(entry));
    entry = sqe{.op = static_cast<opcode>(250), .personality = 3, .file_index = 4};
    EXPECT_EQ("opcode 250 personality 3 file_index 4 user_data 0x0", to_string(entry));
}

TEST(names_test, a_completion_says_its_error_and_its_buffer) {
    EXPECT_EQ("user_data 0x7 res 64 flags buffer|more buffer 3",
              to_string(cqe{
                  .user_data = 7,
                  .res = 64,
                  .flags = cqe_flag::buffer | cqe_flag::more | (3U << cqe_flag::buffer_shift)}));
    const std::string reset = to_string(cqe{.user_data = 7, .res = -ECONNRESET});
    EXPECT_EQ("user_data 0x7 res " + std::to_string(-ECONNRESET) + " (Connection reset by peer)",
              reset);
}

}  // namespace
}  // namespace ioring
