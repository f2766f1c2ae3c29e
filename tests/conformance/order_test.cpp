// SPDX-License-Identifier: MIT
// order_test.cpp - several operations of one direction on one descriptor.
//
// Each gets one completion, and no byte is lost or doubled; which of them gets which bytes is not
// said (D2: io_uring itself completes two recvs in reverse).
#include "conformance.hpp"

namespace ioring::conformance {
namespace {

class order_test : public backend_test {
protected:
    void prepare_recv(const socket_end& at, std::span<std::byte> buffer, std::uint64_t user_data) {
        prep_recv(next_sqe(), at.fd(), buffer, 0, user_data);
    }
};
INSTANTIATE_TEST_SUITE_P(backend, order_test, every_backend(), backend_name);

TEST_P(order_test, a_second_recv_does_not_replace_the_first) {
    const auto [ours, theirs] = connected_pair();
    std::array<std::byte, 2> bytes{};
    prepare_recv(ours, std::span{bytes}.first(1), 1);
    expect_nothing();
    prepare_recv(ours, std::span{bytes}.last(1), 2);
    expect_nothing();
    ASSERT_TRUE(send_all(theirs, "a"));
    const cqe first = complete_one();
    EXPECT_EQ(1, first.res);
    expect_nothing();  // The other one still waits.
    ASSERT_TRUE(send_all(theirs, "b"));
    const cqe second = complete_one();
    EXPECT_EQ(1, second.res);
    EXPECT_EQ(3U, first.user_data + second.user_data);
    const std::string got = text(bytes, 2);
    EXPECT_EQ(first.user_data == 1 ? "ab" : "ba", got);
}

TEST_P(order_test, many_recvs_share_a_stream_without_loss) {
    constexpr std::size_t count = 40;
    const auto [ours, theirs] = connected_pair();
    std::string pieces(count * 2, '?');
    for (std::size_t i = 0; i < count; ++i) {
        prepare_recv(ours, bytes_of(pieces).subspan(i * 2, 2), i);
    }
    expect_nothing();
    std::string sent = pattern(count * 2);
    ASSERT_TRUE(send_all(theirs, sent));
    std::vector<bool> seen(count);
    for (const cqe& done : complete(count)) {
        EXPECT_EQ(2, done.res);
        EXPECT_FALSE(seen[done.user_data]);
        seen[done.user_data] = true;
    }
    std::sort(sent.begin(), sent.end());
    std::sort(pieces.begin(), pieces.end());
    EXPECT_EQ(sent, pieces);
}

TEST_P(order_test, the_end_of_the_stream_reaches_all_that_wait) {
    auto [ours, theirs] = connected_pair();
    std::array<std::byte, 4> bytes{};
    for (const std::uint64_t each : {1U, 2U, 3U}) prepare_recv(ours, bytes, each);
    expect_nothing();
    theirs.close();
    const std::vector<cqe> all = complete(3);
    for (const std::uint64_t each : {1U, 2U, 3U}) EXPECT_EQ(0, with_user_data(all, each).res);
}

TEST_P(order_test, a_reset_reaches_all_that_wait) {
    auto [ours, theirs] = connected_pair();
    std::array<std::byte, 4> bytes{};
    for (const std::uint64_t each : {1U, 2U, 3U}) prepare_recv(ours, bytes, each);
    expect_nothing();
    theirs.reset();
    int errors = 0;
    for (const cqe& done : complete(3)) {
        EXPECT_TRUE(done.res == -ECONNRESET || done.res == 0) << done.res;
        errors += done.res < 0 ? 1 : 0;
    }
    EXPECT_EQ(1, errors);  // The error is told once.
}

TEST_P(order_test, cancelling_one_of_two_recvs_leaves_the_other) {
    for (const std::uint64_t target : {1U, 2U}) {
        const auto [ours, theirs] = connected_pair();
        std::array<std::byte, 4> bytes{};
        prepare_recv(ours, bytes, 1);
        prepare_recv(ours, bytes, 2);
        expect_nothing();
        prep_cancel(next_sqe(), target, 0, 3);
        const std::vector<cqe> all = complete(2);
        EXPECT_EQ(-ECANCELED, with_user_data(all, target).res);
        EXPECT_EQ(0, with_user_data(all, 3).res);
        ASSERT_TRUE(send_all(theirs, "x"));
        EXPECT_EQ(1, complete_one(3 - target).res);
    }
}

TEST_P(order_test, two_sends_into_a_full_socket_each_move_all_their_bytes) {
    const auto [ours, theirs] = local_pair();
    const std::size_t before = fill(ours);
    const std::string first(100'000, 'a');
    const std::string second(100'000, 'b');
    constexpr std::uint32_t whole = msg_flag::no_signal | msg_flag::wait_all;
    prep_send(next_sqe(), ours.fd(), bytes_of(first), whole, 1);
    prep_send(next_sqe(), ours.fd(), bytes_of(second), whole, 2);
    expect_nothing();
    std::string got(before + first.size() + second.size(), '\0');
    prep_recv(next_sqe(), theirs.fd(), bytes_of(got), msg_flag::wait_all, 3);
    const std::vector<cqe> all = complete(3);
    EXPECT_EQ(100'000, with_user_data(all, 1).res);
    EXPECT_EQ(100'000, with_user_data(all, 2).res);
    EXPECT_EQ(static_cast<int>(got.size()), with_user_data(all, 3).res);
    EXPECT_EQ(100'000, std::count(got.begin(), got.end(), 'a'));
    EXPECT_EQ(100'000, std::count(got.begin(), got.end(), 'b'));
}

TEST_P(order_test, two_small_sends_keep_their_order) {
    const auto [ours, theirs] = connected_pair();
    prep_send(next_sqe(), ours.fd(), bytes_of("one"), msg_flag::no_signal, 1);
    prep_send(next_sqe(), ours.fd(), bytes_of("two"), msg_flag::no_signal, 2);
    for (const cqe& done : complete(2)) EXPECT_EQ(3, done.res);
    EXPECT_EQ("onetwo", receive(theirs, 6));
}

TEST_P(order_test, two_accepts_take_one_connection_each) {
    const plain_listener listener = listen_on("127.0.0.1:0");
    for (const std::uint64_t each : {1U, 2U}) {
        prep_accept(next_sqe(), listener.socket.fd(), nullptr, nullptr, 0, each);
    }
    expect_nothing();
    const socket_end client = connect_to(listener.address);
    const socket_end first{complete_one().res};
    EXPECT_LE(0, first.number());
    expect_nothing();
    const socket_end other = connect_to(listener.address);
    const socket_end second{complete_one().res};
    EXPECT_LE(0, second.number());
    EXPECT_NE(first.number(), second.number());
}

TEST_P(order_test, the_same_user_data_on_two_is_two_completions) {
    const auto [ours, theirs] = connected_pair();
    std::array<std::byte, 2> bytes{};
    prepare_recv(ours, std::span{bytes}.first(1), 1);
    prepare_recv(ours, std::span{bytes}.last(1), 1);
    expect_nothing();
    ASSERT_TRUE(send_all(theirs, "ab"));
    for (const cqe& done : complete(2)) {
        EXPECT_EQ(1, done.res);
        EXPECT_EQ(1U, done.user_data);
    }
}

// User-space kernels serve a descriptor 16 times a turn at most, then look at the others. io_uring
// hands out its work in the order in which it became ready.
TEST_P(order_test, one_busy_connection_does_not_keep_another_waiting) {
    constexpr std::uint64_t count = 60;
    const auto [busy, far_busy] = connected_pair();
    const auto [quiet, far_quiet] = connected_pair();
    std::array<std::byte, 1> byte{};
    for (std::uint64_t i = 0; i < count; ++i) prepare_recv(busy, byte, i);
    prepare_recv(quiet, byte, count);
    expect_nothing();
    ASSERT_TRUE(send_all(far_busy, pattern(count)));
    ASSERT_TRUE(send_all(far_quiet, "x"));
    const std::vector<cqe> all = complete(count + 1);
    const auto at = std::find_if(all.begin(), all.end(),
                                 [](const cqe& done) { return done.user_data == count; });
    ASSERT_NE(all.end(), at);
    if (!is_uring() && !is_faulty()) {
        EXPECT_GE(2 * 16, at - all.begin());
    }
}

}  // namespace
}  // namespace ioring::conformance
