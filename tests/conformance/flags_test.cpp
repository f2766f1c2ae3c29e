// SPDX-License-Identifier: MIT
// flags_test.cpp - what is not known is refused, and the flags that every entry can carry.

#include "conformance.hpp"

namespace ioring::conformance {
namespace {

class flags_test : public backend_test {
protected:
    int with_flags(sqe entry, std::uint8_t flags) {
        entry.flags = flags;
        return run(entry).res;
    }
    static sqe nop(std::uint64_t user_data = 1) {
        sqe entry;
        prep_nop(entry, user_data);
        return entry;
    }
    [[nodiscard]] sqe recv_entry(std::uint64_t user_data = 1) {
        sqe entry;
        prep_recv(entry, pair_.ours.fd(), buffer_, 0, user_data);
        return entry;
    }
    [[nodiscard]] sqe send_entry(std::string_view bytes, std::uint64_t user_data = 1) const {
        sqe entry;
        prep_send(entry, pair_.ours.fd(), bytes_of(bytes), msg_flag::no_signal, user_data);
        return entry;
    }

    std::array<std::byte, 16> buffer_{};
    socket_pair pair_ = connected_pair();
};
INSTANTIATE_TEST_SUITE_P(backend, flags_test, every_backend(), backend_name);

TEST_P(flags_test, an_opcode_that_probe_denies_is_invalid) {
    int denied = 0;
    for (unsigned number = 0; number < 256; ++number) {
        if (can(static_cast<opcode>(number))) continue;
        ++denied;
        const sqe entry{.op = static_cast<opcode>(number), .user_data = number};
        EXPECT_EQ(-EINVAL, run(entry).res) << number;
    }
    EXPECT_LT(100, denied);
}

TEST_P(flags_test, an_unknown_flag_is_invalid_and_nothing_is_done) {
    EXPECT_EQ(-EINVAL, with_flags(nop(), 1U << 7U));
    EXPECT_EQ(-EINVAL, with_flags(send_entry("x"), 1U << 7U));
    EXPECT_EQ(0U, unread(pair_.theirs));
}

TEST_P(flags_test, an_unknown_bit_of_ioprio_is_invalid_and_nothing_is_done) {
    ASSERT_TRUE(send_all(pair_.theirs, "abc"));
    for (const unsigned bit : {8U, 15U}) {
        sqe entry = recv_entry();
        entry.ioprio = static_cast<std::uint16_t>(1U << bit);
        EXPECT_EQ(-EINVAL, run(entry).res) << bit;
        entry = send_entry("x");
        entry.ioprio = static_cast<std::uint16_t>(1U << bit);
        EXPECT_EQ(-EINVAL, run(entry).res) << bit;
    }
    EXPECT_EQ(3U, unread(pair_.ours));
    EXPECT_EQ(0U, unread(pair_.theirs));
}

TEST_P(flags_test, an_operation_without_ioprio_refuses_any) {
    sqe entry;
    prep_shutdown(entry, pair_.ours.fd(), shutdown_how::write, 1);
    entry.ioprio = 1;
    EXPECT_EQ(-EINVAL, run(entry).res);
    prep_close(entry, pair_.ours.fd(), 2);
    entry.ioprio = 1;
    EXPECT_EQ(-EINVAL, run(entry).res);
    prep_timeout_remove(entry, 4711, 3);
    entry.ioprio = 1;
    EXPECT_EQ(-EINVAL, run(entry).res);
    EXPECT_EQ(1, send(pair_.ours, "x"));  // Neither shut down nor closed.
}

TEST_P(flags_test, a_fixed_file_is_a_bad_descriptor_where_there_is_no_table) {
    EXPECT_EQ(-EBADF, with_flags(recv_entry(), sqe_flag::fixed_file));
    EXPECT_EQ(-EBADF, with_flags(send_entry("x"), sqe_flag::fixed_file));
}

TEST_P(flags_test, a_buffer_group_is_refused_by_what_takes_none) {
    EXPECT_EQ(-EOPNOTSUPP, with_flags(nop(), sqe_flag::buffer_select));
    sqe entry;
    prep_accept(entry, pair_.ours.fd(), nullptr, nullptr, 0, 1);
    EXPECT_EQ(-EOPNOTSUPP, with_flags(entry, sqe_flag::buffer_select));
}

TEST_P(flags_test, an_unknown_personality_is_invalid) {
    sqe entry = nop();
    entry.personality = 4711;
    EXPECT_EQ(-EINVAL, run(entry).res);
}

TEST_P(flags_test, async_changes_no_result) {
    EXPECT_EQ(0, with_flags(nop(), sqe_flag::async));
    EXPECT_EQ(2, with_flags(send_entry("hi"), sqe_flag::async));
    EXPECT_EQ("hi", receive(pair_.theirs, 2));
    ASSERT_TRUE(send_all(pair_.theirs, "yo"));
    EXPECT_EQ(2, with_flags(recv_entry(), sqe_flag::async));
    EXPECT_EQ(-EBADF, with_flags(sqe{.op = opcode::recv, .user_data = 1}, sqe_flag::async));
}

TEST_P(flags_test, async_waits_like_any_other) {
    next_sqe() = recv_entry();
    sqe& entry = next_sqe();
    entry = recv_entry(2);
    entry.flags = sqe_flag::async;
    expect_nothing();
    ASSERT_TRUE(send_all(pair_.theirs, "x"));
    EXPECT_EQ(1, complete_one().res);
    ASSERT_TRUE(send_all(pair_.theirs, "y"));
    EXPECT_EQ(1, complete_one().res);
}

TEST_P(flags_test, success_can_be_silent) {
    sqe& silent = next_sqe();
    silent = nop();
    silent.flags = sqe_flag::cqe_skip_success;
    expect_nothing();
    sqe& sent = next_sqe();
    sent = send_entry("abc");
    sent.flags = sqe_flag::cqe_skip_success;
    expect_nothing();
    EXPECT_EQ("abc", receive(pair_.theirs, 3));
}

TEST_P(flags_test, success_that_comes_later_can_be_silent) {
    sqe& entry = next_sqe();
    entry = recv_entry();
    entry.flags = sqe_flag::cqe_skip_success;
    expect_nothing();
    ASSERT_TRUE(send_all(pair_.theirs, "abc"));
    expect_nothing();
    EXPECT_EQ("abc", text(buffer_, 3));
}

TEST_P(flags_test, failure_is_never_silent) {
    EXPECT_EQ(-EBADF,
              with_flags(sqe{.op = opcode::recv, .user_data = 1}, sqe_flag::cqe_skip_success));
    EXPECT_EQ(-EINVAL,
              with_flags(sqe{.op = opcode{255}, .user_data = 1}, sqe_flag::cqe_skip_success));
    sqe& entry = next_sqe();
    entry = recv_entry();
    entry.flags = sqe_flag::cqe_skip_success;
    expect_nothing();
    pair_.theirs.reset();
    EXPECT_EQ(-ECONNRESET, complete_one(1).res);
}

TEST_P(flags_test, a_silent_one_that_is_cancelled_speaks) {
    sqe& entry = next_sqe();
    entry = recv_entry();
    entry.flags = sqe_flag::cqe_skip_success;
    expect_nothing();
    prep_cancel(next_sqe(), /*target=*/1, 0, 2);
    const std::vector<cqe> all = complete(2);
    EXPECT_EQ(-ECANCELED, with_user_data(all, 1).res);
    EXPECT_EQ(0, with_user_data(all, 2).res);
}

TEST_P(flags_test, an_error_in_a_batch_harms_none_of_the_others) {
    next_sqe() = nop(1);
    next_sqe() = sqe{.op = opcode{255}, .user_data = 2};
    next_sqe() = send_entry("x", 3);
    next_sqe() = sqe{.op = opcode::recv, .user_data = 4};
    next_sqe() = nop(5);
    const std::vector<cqe> all = complete(5);
    EXPECT_EQ(0, with_user_data(all, 1).res);
    EXPECT_EQ(-EINVAL, with_user_data(all, 2).res);
    EXPECT_EQ(1, with_user_data(all, 3).res);
    EXPECT_EQ(-EBADF, with_user_data(all, 4).res);
    EXPECT_EQ(0, with_user_data(all, 5).res);
}

}  // namespace
}  // namespace ioring::conformance
