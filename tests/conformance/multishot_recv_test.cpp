// SPDX-License-Identifier: MIT
// multishot_recv_test.cpp - one receive that goes on: chunk by chunk, until something ends it.

#include "entries.hpp"
#include "ioring/buffer_group.hpp"

namespace ioring::conformance {
namespace {

class multishot_recv_test : public backend_test {
protected:
    void make_group(std::uint32_t buffers, std::uint32_t buffer_bytes) {
        std::string why;
        ASSERT_FALSE(buffer_group::create(
            ring_, {.buffers = buffers, .buffer_bytes = buffer_bytes, .incremental = false}, group_,
            &why))
            << why;
    }
    void arm(const socket_end& at, std::uint64_t user_data) {
        prep_recv_multishot(next_sqe(), at.fd(), group_.id(), 0, user_data);
    }
    // The bytes of a completion, which are the group's again.
    std::string take(const cqe& done) {
        const std::span<std::byte> bytes = group_.take(done);
        std::string copy = text(bytes, bytes.size());
        if (!bytes.empty()) {
            EXPECT_TRUE(group_.recycle(bytes));
        }
        return copy;
    }
    // What the stream brings up to `count` bytes, armed again whenever it ends for want of room.
    std::string receive_armed(const socket_end& at, std::uint64_t user_data, std::size_t count) {
        std::string all;
        while (all.size() < count && !HasFailure()) {
            const cqe done = complete_one(user_data);
            EXPECT_TRUE(done.res > 0 || done.res == -ENOBUFS) << done.res;
            all += take(done);
            if (!done.more()) arm(at, user_data);
        }
        return all;
    }

    std::array<std::byte, 64> buffer_{};
    buffer_group group_;
};
INSTANTIATE_TEST_SUITE_P(backend, multishot_recv_test, every_backend_with(feature::recv_multishot),
                         backend_name);

TEST_P(multishot_recv_test, brings_each_chunk_until_the_end_of_stream) {
    make_group(4, 64);
    const auto [ours, theirs] = connected_pair();
    arm(ours, 1);
    expect_nothing();
    for (const char* const each : {"one", "two", "three", "four", "five", "six"}) {
        ASSERT_TRUE(send_all(theirs, each));
        const cqe done = complete_one(1);
        EXPECT_TRUE(done.more());
        EXPECT_EQ(static_cast<int>(std::string_view{each}.size()), done.res);
        EXPECT_EQ(each, take(done));
    }
    shut_down(theirs, shutdown_how::write);
    const cqe end = complete_one(1);
    EXPECT_EQ(0, end.res);
    EXPECT_FALSE(end.more());
    EXPECT_FALSE(end.has_buffer());
    EXPECT_EQ(4U, group_.posted());
    expect_nothing();
}

TEST_P(multishot_recv_test, takes_what_is_there_when_it_is_armed) {
    make_group(4, 64);
    const auto [ours, theirs] = connected_pair();
    ASSERT_TRUE(send_all(theirs, "early"));
    ASSERT_TRUE(readable(ours));
    arm(ours, 1);
    EXPECT_EQ("early", take(complete_one(1)));
}

TEST_P(multishot_recv_test, the_last_bytes_come_before_the_end) {
    make_group(8, 16);
    auto [ours, theirs] = connected_pair();
    const std::string bytes = pattern(100);
    ASSERT_TRUE(send_all(theirs, bytes));
    theirs.close();
    arm(ours, 1);
    EXPECT_EQ(bytes, receive_armed(ours, 1, bytes.size()));
    EXPECT_EQ(0, complete_one(1).res);
}

TEST_P(multishot_recv_test, out_of_buffers_ends_and_loses_nothing) {
    make_group(2, 4);
    const auto [ours, theirs] = connected_pair();
    ASSERT_TRUE(send_all(theirs, "abcdefghijklmnop"));
    ASSERT_TRUE(readable(ours));
    arm(ours, 1);
    std::array<std::span<std::byte>, 2> chunks;
    std::string all;
    for (auto& chunk : chunks) {
        const cqe done = complete_one(1);
        EXPECT_TRUE(done.more());
        chunk = group_.take(done);
        all += text(chunk, chunk.size());
    }
    const cqe ended = complete_one(1);
    EXPECT_EQ(-ENOBUFS, ended.res);
    EXPECT_FALSE(ended.more());
    EXPECT_FALSE(ended.has_buffer());
    for (const auto& chunk : chunks) EXPECT_TRUE(group_.recycle(chunk));
    arm(ours, 2);
    all += receive_armed(ours, 2, 8);
    EXPECT_EQ("abcdefghijklmnop", all);
}

TEST_P(multishot_recv_test, on_an_empty_group_ends_before_any_data_comes) {
    make_group(1, 16);
    const auto [ours, theirs] = connected_pair();
    ASSERT_TRUE(send_all(theirs, "x"));
    arm(ours, 1);
    const auto chunk = group_.take(complete_one(1));
    ASSERT_EQ(1U, chunk.size());
    ring_.prepare_cancel(1, 2);
    while (complete_one().user_data != 2) {
    }
    (void)take_ready();
    arm(ours, 3);
    const cqe refused = complete_one(3);
    EXPECT_EQ(-ENOBUFS, refused.res);
    EXPECT_FALSE(refused.more());
}

TEST_P(multishot_recv_test, of_a_group_that_there_is_not_ends_and_loses_nothing) {
    const auto [ours, theirs] = connected_pair();
    ASSERT_TRUE(send_all(theirs, "kept"));
    ring_.prepare_recv_multishot(ours.fd(), /*group=*/999, 1);
    EXPECT_EQ(-ENOBUFS, complete_one(1).res);
    EXPECT_EQ("kept", receive(ours, 4));
}

TEST_P(multishot_recv_test, armed_again_and_again_goes_on_each_time) {
    make_group(1, 4);
    const auto [ours, theirs] = connected_pair();
    const std::string bytes = pattern(200);
    arm(ours, 1);
    expect_nothing();
    ASSERT_TRUE(send_all(theirs, bytes));
    EXPECT_EQ(bytes, receive_armed(ours, 1, bytes.size()));
}

TEST_P(multishot_recv_test, a_reset_ends_it_with_an_error_and_no_buffer) {
    make_group(4, 64);
    auto [ours, theirs] = connected_pair();
    arm(ours, 1);
    expect_nothing();
    theirs.reset();
    const cqe done = complete_one(1);
    EXPECT_EQ(-ECONNRESET, done.res);
    EXPECT_FALSE(done.more());
    EXPECT_FALSE(done.has_buffer());
    EXPECT_EQ(4U, group_.posted());
}

TEST_P(multishot_recv_test, shut_down_on_our_side_ends_with_zero) {
    make_group(4, 64);
    const auto [ours, theirs] = connected_pair();
    arm(ours, 1);
    expect_nothing();
    EXPECT_EQ(0, ring_.shutdown_now(ours.fd(), shutdown_how::read));
    const cqe done = complete_one(1);
    EXPECT_EQ(0, done.res);
    EXPECT_FALSE(done.more());
}

TEST_P(multishot_recv_test, cancelled_ends_and_takes_no_byte) {
    make_group(4, 64);
    const auto [ours, theirs] = connected_pair();
    arm(ours, 1);
    ASSERT_TRUE(send_all(theirs, "x"));
    EXPECT_EQ("x", take(complete_one(1)));
    ring_.prepare_cancel(1, 2);
    const auto all = complete(2);
    EXPECT_EQ(0, result_of(all, 2));
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_FALSE(with_user_data(all, 1).more());
    ASSERT_TRUE(send_all(theirs, "later"));
    EXPECT_EQ(5, recv(ours, buffer_));
    EXPECT_EQ(4U, group_.posted());
}

TEST_P(multishot_recv_test, that_must_not_wait_ends_with_eagain) {
    make_group(4, 64);
    const auto [ours, theirs] = connected_pair();
    prep_recv_multishot(next_sqe(), ours.fd(), group_.id(), msg_flag::dont_wait, 1);
    const cqe done = complete_one(1);
    EXPECT_EQ(-EAGAIN, done.res);
    EXPECT_FALSE(done.more());
}

TEST_P(multishot_recv_test, for_all_bytes_or_without_a_group_is_einval) {
    make_group(4, 64);
    const auto [ours, theirs] = connected_pair();
    prep_recv_multishot(next_sqe(), ours.fd(), group_.id(), msg_flag::wait_all, 1);
    EXPECT_EQ(-EINVAL, complete_one(1).res);
    ring_.prepare_recv(ours.fd(), buffer_, 2)->ioprio = transfer_flag::multishot;
    EXPECT_EQ(-EINVAL, complete_one(2).res);
}

TEST_P(multishot_recv_test, of_what_is_no_connection_tells_why) {
    make_group(4, 64);
    const plain_listener listener = listen_on("127.0.0.1:0");
    const auto [reader, writer] = pipe_pair();
    arm(reader, 1);
    EXPECT_EQ(-ENOTSOCK, complete_one(1).res);
    arm(listener.socket, 2);
    EXPECT_EQ(-ENOTCONN, complete_one(2).res);
    const socket_end unconnected = open_stream(address_family::ipv4);
    arm(unconnected, 3);
    EXPECT_EQ(-ENOTCONN, complete_one(3).res);
    ring_.prepare_recv_multishot(fd{-1}, group_.id(), 4);
    EXPECT_EQ(-EBADF, complete_one(4).res);
}

TEST_P(multishot_recv_test, a_link_behind_it_waits_for_its_end) {
    make_group(4, 64);
    const auto [ours, theirs] = connected_pair();
    with_link(ring_.prepare_recv_multishot(ours.fd(), group_.id(), 1));
    ring_.prepare_nop(2);
    ASSERT_TRUE(send_all(theirs, "x"));
    EXPECT_EQ("x", take(complete_one(1)));
    expect_nothing();
    shut_down(theirs, shutdown_how::write);
    const auto all = complete(2);
    EXPECT_EQ(0, result_of(all, 1));
    EXPECT_EQ(0, result_of(all, 2));
}

TEST_P(multishot_recv_test, streams_of_one_group_do_not_mix) {
    make_group(8, 64);
    constexpr std::size_t count = 4;
    constexpr std::size_t bytes = 50'000;
    std::array<socket_pair, count> pairs;
    std::array<std::string, count> expected;
    std::array<std::string, count> received;
    std::array<std::size_t, count> sent{};
    for (std::size_t each = 0; each < count; ++each) {
        pairs[each] = connected_pair();
        expected[each] = pattern(bytes, static_cast<unsigned>(each));
        arm(pairs[each].ours, each);
    }
    for (std::size_t done_count = 0; done_count < count && !HasFailure();) {
        for (std::size_t each = 0; each < count; ++each) {
            const std::size_t piece = std::min<std::size_t>(1000 + 100 * each, bytes - sent[each]);
            ASSERT_TRUE(send_all(pairs[each].theirs, expected[each].substr(sent[each], piece)));
            sent[each] += piece;
        }
        ASSERT_LE(0, wait_through(ring_, 1, patience));
        for (const cqe& done : ring_.completions()) {
            ASSERT_TRUE(done.res > 0 || done.res == -ENOBUFS) << done.res;
            std::string& stream = received[done.user_data];
            stream += take(done);
            if (stream.size() == bytes && done.res > 0) ++done_count;
            if (!done.more()) arm(pairs[done.user_data].ours, done.user_data);
        }
    }
    for (std::size_t each = 0; each < count; ++each) EXPECT_EQ(expected[each], received[each]);
}

// One connection with much to read, and one with a byte.
TEST_P(multishot_recv_test, a_busy_connection_does_not_hold_up_another) {
    constexpr int chunks = 180;
    make_group(chunks + 8, 64);
    const auto [busy, busy_peer] = connected_pair();
    const auto [quiet, quiet_peer] = connected_pair();
    ASSERT_TRUE(send_all(busy_peer, pattern(chunks * 64)));
    ASSERT_TRUE(send_all(quiet_peer, "x"));
    while (unread(busy) < chunks * 64) ASSERT_TRUE(readable(busy));
    ASSERT_TRUE(readable(quiet));
    arm(busy, 1);
    arm(quiet, 2);
    int before = 0;
    while (complete_one().user_data == 1) ++before;
    if (is_older_uring()) return;  // D25: it has its bytes all the same.
    EXPECT_LE(before, 100) << "chunks of the busy one came first";
}

class multishot_recv_overflow_test : public multishot_recv_test {
    [[nodiscard]] ring_options options() const override {
        return {.sq_entries = 8, .cq_entries = 16, .connections_max = 8};
    }
};
INSTANTIATE_TEST_SUITE_P(backend, multishot_recv_overflow_test,
                         every_backend_with(feature::recv_multishot), backend_name);

TEST_P(multishot_recv_overflow_test, a_full_completion_queue_loses_nothing) {
    make_group(256, 4);
    const auto [ours, theirs] = connected_pair();
    const std::string bytes = pattern(600);
    ASSERT_TRUE(send_all(theirs, bytes));
    while (unread(ours) < bytes.size()) ASSERT_TRUE(readable(ours));
    arm(ours, 1);
    // Let it run against the full queue before anything is read.
    for (int round = 0; round < 5; ++round) ASSERT_LE(0, wait_through(ring_, 16, 5ms));
    EXPECT_EQ(bytes, receive_armed(ours, 1, bytes.size()));
}

TEST_P(multishot_recv_overflow_test, parked_while_the_queue_is_full_still_tells_its_end) {
    make_group(4, 64);
    const auto [ours, theirs] = connected_pair();
    arm(ours, 1);
    ASSERT_EQ(1, ring_.submit());
    for (std::uint64_t each = 100; each < 116; ++each) prep_nop(next_sqe(), each);
    ASSERT_LE(0, wait_through(ring_, 16, 100ms));
    ASSERT_TRUE(send_all(theirs, "x"));
    shut_down(theirs, shutdown_how::write);
    for (int round = 0; round < 3; ++round) ASSERT_LE(0, wait_through(ring_, 16, 5ms));
    std::string all;
    for (bool ended = false; !ended && !HasFailure();) {
        const cqe done = complete_one();
        if (done.user_data != 1) continue;
        all += take(done);
        ended = done.res == 0;
        if (!done.more() && !ended) arm(ours, 1);
    }
    EXPECT_EQ("x", all);
}

}  // namespace
}  // namespace ioring::conformance
