// SPDX-License-Identifier: MIT
// send_test.cpp - what a single send on a stream promises.
#if __has_include(<sys/uio.h>)
#include <sys/uio.h>
#else
#include "ioring/message.hpp"
#endif

#include "conformance.hpp"

namespace ioring::conformance {
namespace {

constexpr std::uint32_t whole = msg_flag::no_signal | msg_flag::wait_all;

class send_test : public backend_test {
protected:
    void prepare_send(const socket_end& from, std::string_view bytes, std::uint64_t user_data,
                      std::uint32_t msg_flags = whole) {
        prep_send(next_sqe(), from.fd(), bytes_of(bytes), msg_flags, user_data);
    }
    // Reads at `at` until `user_data` has completed; the completion, and all that was read.
    std::pair<cqe, std::string> read_until_complete(const socket_end& at, std::uint64_t user_data) {
        std::string got;
        const auto end = std::chrono::steady_clock::now() + patience_left();
        while (std::chrono::steady_clock::now() < end) {
            (void)ring_.submit_and_wait(0);
            for (const cqe& done : take_ready()) {
                EXPECT_EQ(user_data, done.user_data);
                return {done, got};
            }
            got += receive_some(at);
        }
        ADD_FAILURE() << "not completed";
        return {};
    }
};
INSTANTIATE_TEST_SUITE_P(backend, send_test, every_backend(), backend_name);

TEST_P(send_test, delivers_every_byte_once) {
    const auto [ours, theirs] = connected_pair();
    EXPECT_EQ(5, send(ours, "hello"));
    EXPECT_EQ(6, send(ours, " world"));
    EXPECT_EQ("hello world", receive(theirs, 11));
}

TEST_P(send_test, a_full_socket_parks_it_until_the_peer_reads) {
    const auto [ours, theirs] = narrow_pair();
    const std::size_t before = fill(ours);
    prepare_send(ours, "tail", 1);
    expect_nothing();
    auto [done, got] = read_until_complete(theirs, 1);
    EXPECT_EQ(4, done.res);
    got += receive(theirs, before + 4 - got.size());
    ASSERT_EQ(before + 4, got.size());
    EXPECT_EQ("tail", got.substr(before));
}

TEST_P(send_test, wait_all_moves_everything_through_a_small_window) {
    const auto [ours, theirs] = narrow_pair();
    const std::string bytes = pattern(1 << 20);
    prepare_send(ours, bytes, 1);
    expect_nothing();  // It cannot have fitted.
    auto [done, got] = read_until_complete(theirs, 1);
    EXPECT_EQ(static_cast<int>(bytes.size()), done.res);
    got += receive(theirs, bytes.size() - got.size());
    EXPECT_TRUE(bytes == got);
}

TEST_P(send_test, without_wait_all_a_short_count_says_how_far_it_came) {
    const auto [ours, theirs] = narrow_pair();
    const std::string bytes = pattern(1 << 20);
    const int sent = send(ours, bytes);
    ASSERT_LT(0, sent);
    ASSERT_GT(static_cast<int>(bytes.size()), sent);
    const auto count = static_cast<std::size_t>(sent);
    EXPECT_TRUE(bytes.substr(0, count) == receive(theirs, count));
    EXPECT_EQ(0U, unread(theirs));  // And no byte further.
}

TEST_P(send_test, dont_wait_answers_at_once) {
    const auto [ours, theirs] = narrow_pair();
    EXPECT_EQ(1, send(ours, "x", msg_flag::no_signal | msg_flag::dont_wait));
    fill(ours);
    EXPECT_EQ(-EAGAIN, send(ours, "x", msg_flag::no_signal | msg_flag::dont_wait));
}

TEST_P(send_test, dont_wait_with_wait_all_is_short_and_does_not_park) {
    const auto [ours, theirs] = narrow_pair();
    const std::string bytes = pattern(1 << 20);
    const int sent = send(ours, bytes, whole | msg_flag::dont_wait);
    EXPECT_LT(0, sent);
    EXPECT_GT(static_cast<int>(bytes.size()), sent);
}

TEST_P(send_test, no_bytes_are_sent_as_zero) {
    const auto [ours, theirs] = connected_pair();
    EXPECT_EQ(0, send(ours, {}));
    EXPECT_EQ(1, send(ours, "x"));
    EXPECT_EQ("x", receive(theirs, 1));
}

// The signal would end this process.
TEST_P(send_test, after_our_own_shutdown_it_is_an_error_and_no_signal) {
    const auto [ours, theirs] = connected_pair();
    shut_down(ours, shutdown_how::write);
    EXPECT_EQ(-EPIPE, send(ours, "x"));
    EXPECT_EQ(-EPIPE, send(ours, "x", /*msg_flags=*/0));
}

TEST_P(send_test, to_a_peer_that_is_gone_it_is_an_error_and_no_signal) {
    for (socket_pair& both : every_stream()) {
        both.theirs.close();
        int result = 1;
        // TCP learns of it by the answer to the first bytes.
        for (int i = 0; i < 100 && result > 0; ++i) result = send(both.ours, "x", /*msg_flags=*/0);
        EXPECT_TRUE(result == -EPIPE || result == -ECONNRESET) << result;
        EXPECT_EQ(-EPIPE, send(both.ours, "x", /*msg_flags=*/0));
    }
}

TEST_P(send_test, an_unconnected_socket_is_an_error_and_no_signal) {
    const int result = send(open_stream(address_family::ipv4), "x", /*msg_flags=*/0);
    EXPECT_TRUE(result == -EPIPE || result == -ENOTCONN) << result;
}

TEST_P(send_test, a_reset_ends_a_parked_one) {
    auto [ours, theirs] = narrow_pair();
    fill(ours);
    prepare_send(ours, "x", 1);
    expect_nothing();
    theirs.reset();
    const int result = complete_one(1).res;
    EXPECT_TRUE(result == -EPIPE || result == -ECONNRESET) << result;
}

TEST_P(send_test, a_reset_in_the_middle_leaves_the_count_of_what_went_before) {
    auto [ours, theirs] = narrow_pair();
    const std::string bytes = pattern(1 << 20);
    prepare_send(ours, bytes, 1);
    expect_nothing();
    theirs.reset();
    const int sent = complete_one(1).res;
    EXPECT_LT(0, sent);
    EXPECT_GT(static_cast<int>(bytes.size()), sent);
}

TEST_P(send_test, our_own_shutdown_ends_a_parked_one) {
    const auto [ours, theirs] = narrow_pair();
    fill(ours);
    prepare_send(ours, "x", 1);
    expect_nothing();
    ASSERT_EQ(0, ring_.shutdown_now(ours.fd(), shutdown_how::write));
    EXPECT_EQ(-EPIPE, complete_one(1).res);
}

TEST_P(send_test, a_parked_recv_does_not_hold_it_up) {
    const auto [ours, theirs] = connected_pair();
    std::array<std::byte, 8> buffer{};
    prep_recv(next_sqe(), ours.fd(), buffer, 0, 1);
    expect_nothing();
    EXPECT_EQ(4, send(ours, "ping"));
    ASSERT_EQ("ping", receive(theirs, 4));
    ASSERT_TRUE(send_all(theirs, "pong"));
    EXPECT_EQ(4, complete_one(1).res);
}

TEST_P(send_test, a_parked_one_does_not_hold_a_recv_up) {
    const auto [ours, theirs] = narrow_pair();
    fill(ours);
    prepare_send(ours, "x", 1);
    expect_nothing();
    std::array<std::byte, 8> buffer{};
    prep_recv(next_sqe(), ours.fd(), buffer, 0, 2);
    ASSERT_TRUE(send_all(theirs, "pong"));
    EXPECT_EQ(4, complete_one(2).res);
    EXPECT_EQ(1, read_until_complete(theirs, 1).first.res);
}

TEST_P(send_test, a_bad_pointer_is_an_error_and_the_connection_lives) {
    const auto [ours, theirs] = connected_pair();
    sqe entry;
    prep_send(entry, ours.fd(), bytes_of("abc"), whole, 1);
    entry.addr = 0;
    EXPECT_EQ(-EFAULT, run(entry).res);
    EXPECT_EQ(3, send(ours, "abc"));
    EXPECT_EQ("abc", receive(theirs, 3));
}

TEST_P(send_test, names_what_is_wrong_with_the_descriptor) {
    EXPECT_EQ(-EBADF, send(socket_end{}, "x"));
    const socket_pair ends = pipe_pair();
    EXPECT_EQ(-ENOTSOCK, send(ends.theirs, "x"));
}

TEST_P(send_test, poll_first_sends_where_there_is_room) {
    const auto [ours, theirs] = connected_pair();
    sqe& entry = next_sqe();
    prep_send(entry, ours.fd(), bytes_of("abc"), whole, 1);
    entry.ioprio = transfer_flag::poll_first;
    EXPECT_EQ(3, complete_one(1).res);
    EXPECT_EQ("abc", receive(theirs, 3));
}

TEST_P(send_test, more_holds_nothing_back_for_good) {
    const auto [ours, theirs] = connected_pair();
    EXPECT_EQ(3, send(ours, "abc", whole | msg_flag::more));
    EXPECT_EQ(3, send(ours, "def", whole));
    EXPECT_EQ("abcdef", receive(theirs, 6));
}

TEST_P(send_test, pieces_go_out_in_order_or_are_refused) {
    const auto [ours, theirs] = connected_pair();
    std::string first = "vec";
    std::string second = "tors";
    const std::array<::iovec, 2> pieces{::iovec{first.data(), first.size()},
                                        ::iovec{second.data(), second.size()}};
    prep_send_vectorized(next_sqe(), ours.fd(), pieces.data(), 2, whole, 1);
    const int result = complete_one(1).res;
    if (!can(feature::send_vectorized)) {
        EXPECT_EQ(-EINVAL, result);
        return;
    }
    EXPECT_EQ(7, result);
    EXPECT_EQ("vectors", receive(theirs, 7));
}

TEST_P(send_test, without_copy_it_says_when_the_bytes_are_free_or_is_refused) {
    const auto [ours, theirs] = connected_pair();
    const std::string bytes = pattern(100);
    prep_send_zc(next_sqe(), ours.fd(), bytes_of(bytes), whole, 0, 1);
    const cqe result = complete_one(1);
    if (!can(opcode::send_zc)) {
        EXPECT_EQ(-EINVAL, result.res);
        EXPECT_FALSE(result.more());
        return;
    }
    EXPECT_EQ(100, result.res);
    EXPECT_EQ(bytes, receive(theirs, 100));
    if (!result.more()) return;  // It copied, and said so by promising nothing.
    const cqe notification = complete_one(1);
    EXPECT_EQ(cqe_flag::notification, notification.flags & cqe_flag::notification);
    EXPECT_FALSE(notification.more());
}

TEST_P(send_test, without_copy_an_error_leaves_nothing_to_wait_for_or_says_so) {
    const auto [ours, theirs] = connected_pair();
    shut_down(ours, shutdown_how::write);
    prep_send_zc(next_sqe(), ours.fd(), bytes_of("x"), whole, 0, 1);
    const cqe result = complete_one(1);
    EXPECT_EQ(can(opcode::send_zc) ? -EPIPE : -EINVAL, result.res);
    if (result.more()) {
        EXPECT_FALSE(complete_one(1).more());
    }
    expect_nothing();
}

TEST_P(send_test, streams_carry_bulk_both_ways_at_once) {
    for (const socket_pair& both : every_stream()) {
        const std::string there = pattern(1 << 20, 2);
        const std::string back = pattern(1 << 20, 3);
        std::string at_theirs(there.size(), '\0');
        std::string at_ours(back.size(), '\0');
        prepare_send(both.ours, there, 1);
        prepare_send(both.theirs, back, 2);
        prep_recv(next_sqe(), both.theirs.fd(), bytes_of(at_theirs), msg_flag::wait_all, 3);
        prep_recv(next_sqe(), both.ours.fd(), bytes_of(at_ours), msg_flag::wait_all, 4);
        for (const cqe& done : complete(4)) EXPECT_EQ(1 << 20, done.res) << done.user_data;
        EXPECT_TRUE(there == at_theirs);
        EXPECT_TRUE(back == at_ours);
    }
}

}  // namespace
}  // namespace ioring::conformance
