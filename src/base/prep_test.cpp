// SPDX-License-Identifier: MIT
// prep_test.cpp - each prep_* writes exactly these 64 bytes.
//
// The expectation is the whole entry as 8 words of 8 bytes, so that a field that is written but
// should not be, or is left over from before, shows as well. Word 0 holds, from the low end, the
// opcode, flags, ioprio and descriptor; word 3 the length and the operation's flags; word 5 the
// buffer index or group, the personality and the file index.
#include "ioring/prep.hpp"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ioring {
namespace {

using words = std::array<std::uint64_t, 8>;

constexpr fd socket{0x0765'4321};
constexpr std::uint64_t tag = 0x1122'3344'5566'7788;

static_assert(std::endian::native == std::endian::little, "the words below are little-endian");

// The entry that `fill` makes out of one that is full of rubbish.
template <class Fill>
words filled(Fill fill) {
    words rubbish;
    rubbish.fill(0xa5a5'a5a5'a5a5'a5a5);
    auto entry = std::bit_cast<sqe>(rubbish);
    fill(entry);
    return std::bit_cast<words>(entry);
}

constexpr std::uint64_t first_word(std::uint8_t op, std::uint8_t flags, std::uint16_t ioprio,
                                   std::uint32_t descriptor) {
    return op | std::uint64_t{flags} << 8U | std::uint64_t{ioprio} << 16U |
           std::uint64_t{descriptor} << 32U;
}

constexpr std::uint64_t length_and_flags(std::uint32_t len, std::uint32_t op_flags) {
    return len | std::uint64_t{op_flags} << 32U;
}

constexpr std::uint32_t no_descriptor = 0xffff'ffff;
constexpr std::uint32_t descriptor = 0x0765'4321;

template <class T>
T* pointer(std::uintptr_t address) {
    return reinterpret_cast<T*>(address);
}

std::span<std::byte> bytes_at(std::uintptr_t address, std::size_t count) {
    return {pointer<std::byte>(address), count};
}

TEST(prep_test, nop) {
    EXPECT_EQ((words{first_word(0, 0, 0, no_descriptor), 0, 0, 0, tag, 0, 0, 0}),
              filled([](sqe& entry) { prep_nop(entry, tag); }));
}

TEST(prep_test, accept_without_an_address) {
    EXPECT_EQ(
        (words{first_word(13, 0, 0, descriptor), 0, 0, length_and_flags(0, 0x80000), tag, 0, 0, 0}),
        filled([](sqe& entry) {
            prep_accept(entry, socket, nullptr, nullptr, socket_flag::cloexec, tag);
        }));
}

TEST(prep_test, accept_carries_the_address_and_where_its_size_is) {
    EXPECT_EQ((words{first_word(13, 0, 0, descriptor), 0x2000, 0x1000, length_and_flags(0, 0x80800),
                     tag, 0, 0, 0}),
              filled([](sqe& entry) {
                  prep_accept(entry, socket, pointer<::sockaddr>(0x1000),
                              pointer<std::uint32_t>(0x2000),
                              socket_flag::cloexec | socket_flag::nonblock, tag);
              }));
}

TEST(prep_test, accept_multishot) {
    EXPECT_EQ(
        (words{first_word(13, 0, 1, descriptor), 0, 0, length_and_flags(0, 0x80000), tag, 0, 0, 0}),
        filled(
            [](sqe& entry) { prep_accept_multishot(entry, socket, socket_flag::cloexec, tag); }));
}

TEST(prep_test, connect_carries_the_address_size_as_offset) {
    EXPECT_EQ((words{first_word(16, 0, 0, descriptor), 28, 0x1000, 0, tag, 0, 0, 0}),
              filled([](sqe& entry) {
                  prep_connect(entry, socket, pointer<const ::sockaddr>(0x1000), 28, tag);
              }));
}

TEST(prep_test, recv) {
    EXPECT_EQ((words{first_word(27, 0, 0, descriptor), 0, 0x1000, length_and_flags(4096, 0x40), tag,
                     0, 0, 0}),
              filled([](sqe& entry) {
                  prep_recv(entry, socket, bytes_at(0x1000, 4096), msg_flag::dont_wait, tag);
              }));
}

TEST(prep_test, recv_select_names_the_group_and_no_address) {
    EXPECT_EQ((words{first_word(27, 0x20, 0, descriptor), 0, 0, length_and_flags(100, 0), tag,
                     0x1234, 0, 0}),
              filled([](sqe& entry) { prep_recv_select(entry, socket, 0x1234, 100, 0, tag); }));
}

TEST(prep_test, recv_multishot_has_no_length) {
    EXPECT_EQ((words{first_word(27, 0x20, 2, descriptor), 0, 0, 0, tag, 0xffff, 0, 0}),
              filled([](sqe& entry) { prep_recv_multishot(entry, socket, 0xffff, 0, tag); }));
}

TEST(prep_test, send) {
    EXPECT_EQ((words{first_word(26, 0, 0, descriptor), 0, 0x1000, length_and_flags(5, 0x4100), tag,
                     0, 0, 0}),
              filled([](sqe& entry) {
                  prep_send(entry, socket, bytes_at(0x1000, 5),
                            msg_flag::no_signal | msg_flag::wait_all, tag);
              }));
}

TEST(prep_test, send_vectorized_counts_pieces) {
    EXPECT_EQ((words{first_word(26, 0, 0x20, descriptor), 0, 0x1000, length_and_flags(3, 0x4000),
                     tag, 0, 0, 0}),
              filled([](sqe& entry) {
                  prep_send_vectorized(entry, socket, pointer<const ::iovec>(0x1000), 3,
                                       msg_flag::no_signal, tag);
              }));
}

TEST(prep_test, send_zc) {
    EXPECT_EQ((words{first_word(47, 0, 8, descriptor), 0, 0x1000, length_and_flags(5, 0x4000), tag,
                     0, 0, 0}),
              filled([](sqe& entry) {
                  prep_send_zc(entry, socket, bytes_at(0x1000, 5), msg_flag::no_signal,
                               transfer_flag::zc_report_usage, tag);
              }));
}

TEST(prep_test, sendmsg_and_recvmsg_say_one_message) {
    EXPECT_EQ((words{first_word(9, 0, 0, descriptor), 0, 0x1000, length_and_flags(1, 0x4000), tag,
                     0, 0, 0}),
              filled([](sqe& entry) {
                  prep_sendmsg(entry, socket, pointer<const ::msghdr>(0x1000), msg_flag::no_signal,
                               tag);
              }));
    EXPECT_EQ(
        (words{first_word(10, 0, 0, descriptor), 0, 0x1000, length_and_flags(1, 2), tag, 0, 0, 0}),
        filled([](sqe& entry) {
            prep_recvmsg(entry, socket, pointer<::msghdr>(0x1000), msg_flag::peek, tag);
        }));
}

TEST(prep_test, recvmsg_multishot_says_a_pattern_and_a_group) {
    EXPECT_EQ((words{first_word(10, 0x20, 2, descriptor), 0, 0x1000, length_and_flags(1, 0x20), tag,
                     0x0102, 0, 0}),
              filled([](sqe& entry) {
                  prep_recvmsg_multishot(entry, socket, pointer<const ::msghdr>(0x1000), 0x0102,
                                         msg_flag::trunc, tag);
              }));
}

TEST(prep_test, read_fixed_and_write_fixed_carry_slot_and_offset) {
    EXPECT_EQ((words{first_word(4, 0, 0, descriptor), 0xffff'ffff'ffff'ffff, 0x1000, 7, tag, 0x0102,
                     0, 0}),
              filled([](sqe& entry) {
                  prep_read_fixed(entry, socket, bytes_at(0x1000, 7), ~std::uint64_t{0}, 0x0102,
                                  tag);
              }));
    EXPECT_EQ((words{first_word(5, 0, 0, descriptor), 0x1'0000'0001, 0x1000, 7, tag, 0x0102, 0, 0}),
              filled([](sqe& entry) {
                  prep_write_fixed(entry, socket, bytes_at(0x1000, 7), 0x1'0000'0001, 0x0102, tag);
              }));
}

TEST(prep_test, shutdown_carries_how_as_length) {
    EXPECT_EQ((words{first_word(34, 0, 0, descriptor), 0, 0, 2, tag, 0, 0, 0}),
              filled([](sqe& entry) { prep_shutdown(entry, socket, shutdown_how::both, tag); }));
}

TEST(prep_test, close) {
    EXPECT_EQ((words{first_word(19, 0, 0, descriptor), 0, 0, 0, tag, 0, 0, 0}),
              filled([](sqe& entry) { prep_close(entry, socket, tag); }));
}

TEST(prep_test, cancel_by_user_data_carries_the_target_as_address) {
    EXPECT_EQ((words{first_word(14, 0, 0, no_descriptor), 0, 0xdead'beef'0000'0001,
                     length_and_flags(0, 1), tag, 0, 0, 0}),
              filled([](sqe& entry) {
                  prep_cancel(entry, 0xdead'beef'0000'0001, cancel_flag::all, tag);
              }));
}

TEST(prep_test, cancel_by_descriptor) {
    EXPECT_EQ(
        (words{first_word(14, 0, 0, descriptor), 0, 0, length_and_flags(0, 1 | 2), tag, 0, 0, 0}),
        filled([](sqe& entry) { prep_cancel_fd(entry, socket, cancel_flag::all, tag); }));
}

TEST(prep_test, cancel_everything) {
    EXPECT_EQ((words{first_word(14, 0, 0, no_descriptor), 0, 0, length_and_flags(0, 1 | 4), tag, 0,
                     0, 0}),
              filled([](sqe& entry) { prep_cancel_everything(entry, tag); }));
}

TEST(prep_test, poll_add_and_its_multishot_form) {
    EXPECT_EQ(
        (words{first_word(6, 0, 0, descriptor), 0, 0, length_and_flags(0, 0x2001), tag, 0, 0, 0}),
        filled([](sqe& entry) {
            prep_poll_add(entry, socket, poll_event::in | poll_event::rdhup, tag);
        }));
    EXPECT_EQ((words{first_word(6, 0, 0, descriptor), 0, 0, length_and_flags(1, 4), tag, 0, 0, 0}),
              filled([](sqe& entry) { prep_poll_multishot(entry, socket, poll_event::out, tag); }));
}

TEST(prep_test, poll_update_is_a_poll_remove_with_flags) {
    EXPECT_EQ((words{first_word(7, 0, 0, no_descriptor), 0x66, 0x55, length_and_flags(2 | 4, 1),
                     tag, 0, 0, 0}),
              filled([](sqe& entry) {
                  prep_poll_update(entry, /*target=*/0x55, /*new_user_data=*/0x66, poll_event::in,
                                   poll_flag::update_events | poll_flag::update_user_data, tag);
              }));
}

TEST(prep_test, poll_remove) {
    EXPECT_EQ((words{first_word(7, 0, 0, no_descriptor), 0, 0x55, 0, tag, 0, 0, 0}),
              filled([](sqe& entry) { prep_poll_remove(entry, 0x55, tag); }));
}

TEST(prep_test, timeout_says_one_time_and_how_many_completions) {
    EXPECT_EQ((words{first_word(11, 0, 0, no_descriptor), 3, 0x1000, length_and_flags(1, 64), tag,
                     0, 0, 0}),
              filled([](sqe& entry) {
                  prep_timeout(entry, pointer<const kernel_timespec>(0x1000), /*completions=*/3,
                               timeout_flag::multishot, tag);
              }));
}

TEST(prep_test, timeout_update_carries_the_time_as_offset) {
    EXPECT_EQ((words{first_word(12, 0, 0, no_descriptor), 0x1000, 0x55, length_and_flags(0, 1 | 2),
                     tag, 0, 0, 0}),
              filled([](sqe& entry) {
                  prep_timeout_update(entry, pointer<const kernel_timespec>(0x1000),
                                      /*target=*/0x55, timeout_flag::absolute, tag);
              }));
}

TEST(prep_test, timeout_remove) {
    EXPECT_EQ((words{first_word(12, 0, 0, no_descriptor), 0, 0x55, 0, tag, 0, 0, 0}),
              filled([](sqe& entry) { prep_timeout_remove(entry, 0x55, tag); }));
}

TEST(prep_test, link_timeout) {
    EXPECT_EQ((words{first_word(15, 0, 0, no_descriptor), 0, 0x1000, length_and_flags(1, 1), tag, 0,
                     0, 0}),
              filled([](sqe& entry) {
                  prep_link_timeout(entry, pointer<const kernel_timespec>(0x1000),
                                    timeout_flag::absolute, tag);
              }));
}

TEST(prep_test, msg_ring_carries_the_result_as_length_and_the_user_data_as_offset) {
    EXPECT_EQ((words{first_word(40, 0, 0, descriptor), 0x99, 0, length_and_flags(0xffff'fffe, 2),
                     tag, 0, 0, 0}),
              filled([](sqe& entry) {
                  prep_msg_ring(entry, socket, /*res=*/-2, /*target_user_data=*/0x99,
                                msg_ring_flag::flags_pass, tag);
              }));
}

TEST(prep_test, socket_carries_its_three_numbers) {
    EXPECT_EQ((words{first_word(45, 0, 0, 10), 0x80001, 0, 6, tag, 0, 0, 0}),
              filled([](sqe& entry) {
                  prep_socket(entry, /*domain=*/10, /*type=*/0x80001, /*protocol=*/6, tag);
              }));
}

TEST(prep_test, bind_and_listen) {
    EXPECT_EQ((words{first_word(56, 0, 0, descriptor), 16, 0x1000, 0, tag, 0, 0, 0}),
              filled([](sqe& entry) {
                  prep_bind(entry, socket, pointer<const ::sockaddr>(0x1000), 16, tag);
              }));
    EXPECT_EQ((words{first_word(57, 0, 0, descriptor), 0, 0, 4096, tag, 0, 0, 0}),
              filled([](sqe& entry) { prep_listen(entry, socket, 4096, tag); }));
}

TEST(prep_test, a_transfer_of_more_than_the_kernel_moves_is_cut_not_wrapped) {
    // 4 GiB + 1 would be 1 byte in 32 bits.
    sqe entry;
    prep_recv(entry, socket, bytes_at(0x1000, (std::size_t{1} << 32U) + 1), 0, tag);
    EXPECT_EQ(0x7fff'f000U, entry.len);
    prep_send(entry, socket, bytes_at(0x1000, 0x7fff'f001), 0, tag);
    EXPECT_EQ(0x7fff'f000U, entry.len);
    prep_send(entry, socket, bytes_at(0x1000, 0x7fff'efff), 0, tag);
    EXPECT_EQ(0x7fff'efffU, entry.len);
}

}  // namespace
}  // namespace ioring
