// SPDX-License-Identifier: MIT
// buffer_group_test.cpp - receives into a buffer that is picked when there is data for it.

#include "ioring/buffer_group.hpp"
#include "entries.hpp"

namespace ioring::conformance {
namespace {

class buffer_group_test : public backend_test {
protected:
    void make_group(std::uint32_t buffers, std::uint32_t buffer_bytes, bool incremental = false) {
        std::string why;
        ASSERT_FALSE(buffer_group::create(
            ring_, {.buffers = buffers, .buffer_bytes = buffer_bytes, .incremental = incremental},
            group_, &why))
            << why;
    }
    cqe receive_one(const socket_end& at, std::uint32_t bytes_max = 0) {
        sqe entry;
        prep_recv_select(entry, at.fd(), group_.id(), bytes_max, 0, 1);
        return run(entry);
    }

    buffer_group group_;
};
INSTANTIATE_TEST_SUITE_P(backend, buffer_group_test, every_backend_with(feature::buffer_rings),
                         backend_name);

TEST_P(buffer_group_test, the_completion_names_the_buffer_that_holds_the_bytes) {
    make_group(4, 64);
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_recv_select(ours.fd(), group_.id(), 1);
    expect_nothing();
    ASSERT_TRUE(send_all(theirs, "hello"));
    const cqe done = complete_one(1);
    EXPECT_EQ(5, done.res);
    EXPECT_TRUE(done.has_buffer());
    EXPECT_FALSE(done.more());
    const auto chunk = group_.take(done);
    EXPECT_EQ("hello", text(chunk, 5));
    EXPECT_EQ(3U, group_.posted());
    EXPECT_TRUE(group_.recycle(chunk));
    EXPECT_EQ(4U, group_.posted());
}

TEST_P(buffer_group_test, a_receive_takes_no_more_than_it_was_told_nor_than_a_buffer_holds) {
    make_group(4, 8);
    const auto [ours, theirs] = connected_pair();
    ASSERT_TRUE(send_all(theirs, "0123456789abcdef"));
    while (unread(ours) < 16) ASSERT_TRUE(readable(ours));
    const cqe told = receive_one(ours, /*bytes_max=*/3);
    EXPECT_EQ("012", text(group_.take(told), 8));
    const cqe full = receive_one(ours);
    EXPECT_EQ("3456789a", text(group_.take(full), 8));
    const cqe more_than_a_buffer = receive_one(ours, /*bytes_max=*/100);
    EXPECT_EQ("bcdef", text(group_.take(more_than_a_buffer), 8));
}

TEST_P(buffer_group_test, an_empty_group_is_enobufs_and_loses_nothing) {
    make_group(1, 64);
    const auto [ours, theirs] = connected_pair();
    ASSERT_TRUE(send_all(theirs, "first"));
    const auto chunk = group_.take(receive_one(ours));
    ASSERT_TRUE(send_all(theirs, "second"));
    const cqe refused = receive_one(ours);
    EXPECT_EQ(-ENOBUFS, refused.res);
    EXPECT_FALSE(refused.has_buffer());
    EXPECT_TRUE(group_.recycle(chunk));
    EXPECT_EQ("second", text(group_.take(receive_one(ours)), 6));
}

TEST_P(buffer_group_test, a_group_that_there_is_not_is_enobufs_and_loses_nothing) {
    const auto [ours, theirs] = connected_pair();
    ASSERT_TRUE(send_all(theirs, "kept"));
    ring_.prepare_recv_select(ours.fd(), /*group=*/999, 1);
    EXPECT_EQ(-ENOBUFS, complete_one(1).res);
    EXPECT_EQ("kept", receive(ours, 4));
}

TEST_P(buffer_group_test, one_buffer_serves_many_that_wait) {
    make_group(1, 64);
    std::array<socket_pair, 8> pairs;
    for (std::size_t each = 0; each < pairs.size(); ++each) {
        pairs[each] = connected_pair();
        ring_.prepare_recv_select(pairs[each].ours.fd(), group_.id(), each);
    }
    expect_nothing();
    EXPECT_EQ(1U, group_.posted());
    for (std::size_t each = pairs.size(); each-- > 0;) {
        ASSERT_TRUE(send_all(pairs[each].theirs, "x"));
        cqe done = complete_one();
        // An event that was none, while the buffer was out: wait again.
        for (; done.res == -ENOBUFS; done = complete_one()) {
            ring_.prepare_recv_select(pairs[done.user_data].ours.fd(), group_.id(), done.user_data);
        }
        EXPECT_EQ(each, done.user_data);
        EXPECT_EQ(1, done.res);
        EXPECT_TRUE(group_.recycle(group_.take(done)));
    }
}

TEST_P(buffer_group_test, the_end_an_error_and_a_cancel_take_no_buffer) {
    make_group(2, 64);
    auto ended = connected_pair();
    auto broken = connected_pair();
    auto waiting = connected_pair();
    ring_.prepare_recv_select(ended.ours.fd(), group_.id(), 1);
    ring_.prepare_recv_select(broken.ours.fd(), group_.id(), 2);
    ring_.prepare_recv_select(waiting.ours.fd(), group_.id(), 3);
    expect_nothing();
    ended.theirs.close();
    broken.theirs.reset();
    ring_.prepare_cancel(3, 4);
    const auto all = complete(4);
    EXPECT_EQ(0, result_of(all, 1));
    EXPECT_EQ(-ECONNRESET, result_of(all, 2));
    EXPECT_EQ(-ECANCELED, result_of(all, 3));
    for (const cqe& each : all) EXPECT_FALSE(each.has_buffer());
    EXPECT_EQ(2U, group_.posted());
    const auto [ours, theirs] = connected_pair();
    ASSERT_TRUE(send_all(theirs, "ab"));
    EXPECT_EQ(1, receive_one(ours, 1).res);
    EXPECT_EQ(1, receive_one(ours, 1).res);  // Both are still there.
}

TEST_P(buffer_group_test, buffers_come_back_as_often_as_they_are_recycled) {
    make_group(2, 16);
    const auto [ours, theirs] = connected_pair();
    for (int round = 0; round < 200; ++round) {
        const std::string bytes = pattern(16, static_cast<unsigned>(round));
        ASSERT_TRUE(send_all(theirs, bytes));
        while (unread(ours) < 16) ASSERT_TRUE(readable(ours));
        const auto chunk = group_.take(receive_one(ours));
        ASSERT_EQ(bytes, text(chunk, 16));
        ASSERT_TRUE(group_.recycle(chunk));
    }
    EXPECT_EQ(0U, group_.refused());
}

TEST_P(buffer_group_test, that_must_not_wait_is_eagain) {
    make_group(2, 16);
    const auto [ours, theirs] = connected_pair();
    prep_recv_select(next_sqe(), ours.fd(), group_.id(), 0, msg_flag::dont_wait, 1);
    EXPECT_EQ(-EAGAIN, complete_one(1).res);
    EXPECT_EQ(2U, group_.posted());
}

TEST_P(buffer_group_test, wait_all_goes_on_until_its_buffer_is_full) {
    make_group(2, 16);
    const auto one = connected_pair();
    const auto two = connected_pair();
    const std::string bytes = pattern(20);
    prep_recv_select(next_sqe(), one.ours.fd(), group_.id(), 0, msg_flag::wait_all, 1);
    expect_nothing();
    ASSERT_TRUE(send_all(one.theirs, bytes.substr(0, 5)));
    expect_nothing();
    // Its buffer is its own by now.
    ASSERT_TRUE(send_all(two.theirs, "other"));
    EXPECT_EQ("other", text(group_.take(receive_one(two.ours)), 16));
    ASSERT_TRUE(send_all(one.theirs, bytes.substr(5)));
    const cqe done = complete_one(1);
    EXPECT_EQ(16, done.res);
    EXPECT_EQ(bytes.substr(0, 16), text(group_.take(done), 16));
    EXPECT_EQ(bytes.substr(16), receive(one.ours, 4));
    EXPECT_EQ(0U, group_.posted());
    EXPECT_EQ(0U, group_.refused());
}

TEST_P(buffer_group_test, wait_all_goes_on_until_it_has_what_it_was_told) {
    make_group(2, 16);
    const auto [ours, theirs] = connected_pair();
    ASSERT_TRUE(send_all(theirs, "01"));
    while (unread(ours) < 2) ASSERT_TRUE(readable(ours));
    prep_recv_select(next_sqe(), ours.fd(), group_.id(), /*bytes_max=*/6, msg_flag::wait_all, 1);
    expect_nothing();
    ASSERT_TRUE(send_all(theirs, "2345678"));
    EXPECT_EQ("012345", text(group_.take(complete_one(1)), 16));
    EXPECT_EQ("678", receive(ours, 3));
}

TEST_P(buffer_group_test, wait_all_that_ends_early_gives_the_buffer_with_what_came) {
    make_group(3, 16);
    auto ended = connected_pair();
    auto broken = connected_pair();
    auto cancelled = connected_pair();
    std::uint64_t tag = 0;
    for (const socket_pair* each : {&ended, &broken, &cancelled}) {
        sqe& entry = next_sqe();
        prep_recv_select(entry, each->ours.fd(), group_.id(), 0, msg_flag::wait_all, ++tag);
        entry.flags |= sqe_flag::io_link;
        ring_.prepare_nop(10 + tag);
        ASSERT_TRUE(send_all(each->theirs, "part"));
        while (unread(each->ours) < 4) ASSERT_TRUE(readable(each->ours));
    }
    expect_nothing();
    ended.theirs.close();
    broken.theirs.reset();
    ring_.prepare_cancel(3, 4);
    const auto all = complete(7);
    EXPECT_EQ(0, result_of(all, 4));
    for (std::uint64_t each = 1; each <= 3; ++each) {
        const cqe done = with_user_data(all, each);
        EXPECT_EQ(4, done.res) << each;
        EXPECT_EQ("part", text(group_.take(done), 4)) << each;
        EXPECT_EQ(-ECANCELED, result_of(all, 10 + each)) << each;
    }
    EXPECT_EQ(0U, group_.refused());
}

TEST_P(buffer_group_test, wait_all_that_must_not_wait_gives_what_there_is) {
    make_group(2, 16);
    const auto [ours, theirs] = connected_pair();
    ASSERT_TRUE(send_all(theirs, "part"));
    while (unread(ours) < 4) ASSERT_TRUE(readable(ours));
    prep_recv_select(next_sqe(), ours.fd(), group_.id(), 0,
                     msg_flag::wait_all | msg_flag::dont_wait, 1);
    EXPECT_EQ("part", text(group_.take(complete_one(1)), 4));
}

TEST_P(buffer_group_test, ids_are_one_to_a_group) {
    make_group(2, 16);
    buffer_group other;
    EXPECT_EQ(std::errc::file_exists,
              buffer_group::create(ring_, {.group = group_.id(), .buffers = 2}, other));
    const std::int32_t id = group_.id();
    group_ = buffer_group{};
    EXPECT_FALSE(buffer_group::create(ring_, {.group = id, .buffers = 2}, other));
}

TEST_P(buffer_group_test, destroyed_while_a_receive_waits_ends_that_and_loses_nothing) {
    make_group(2, 16);
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_recv_select(ours.fd(), group_.id(), 1);
    expect_nothing();
    group_ = buffer_group{};
    ASSERT_TRUE(send_all(theirs, "kept"));
    EXPECT_EQ(-ENOBUFS, complete_one(1).res);
    EXPECT_EQ("kept", receive(ours, 4));
}

TEST_P(buffer_group_test, a_send_cannot_pick_its_bytes_from_a_group_of_none) {
    const auto [ours, theirs] = connected_pair();
    sqe* const entry = ring_.prepare_send(ours.fd(), bytes_of(std::string_view{"x"}), 1);
    with_flags(entry, sqe_flag::buffer_select)->buf_index = 999;
    EXPECT_GT(0, complete_one(1).res);
    EXPECT_EQ(0U, unread(theirs));
}

class incremental_group_test : public buffer_group_test {};
INSTANTIATE_TEST_SUITE_P(backend, incremental_group_test,
                         every_backend_with(feature::incremental_buffers), backend_name);

TEST_P(incremental_group_test, chunks_lie_side_by_side_until_the_buffer_is_full) {
    make_group(2, 16, /*incremental=*/true);
    ASSERT_TRUE(group_.incremental());
    const auto [ours, theirs] = connected_pair();
    const std::byte* next = nullptr;
    for (int round = 0; round < 4; ++round) {
        ASSERT_TRUE(send_all(theirs, "1234"));
        while (unread(ours) < 4) ASSERT_TRUE(readable(ours));
        const cqe done = receive_one(ours);
        EXPECT_EQ(round < 3, (done.flags & cqe_flag::buffer_more) != 0);
        const auto chunk = group_.take(done);
        ASSERT_EQ("1234", text(chunk, 4));
        if (next != nullptr) {
            EXPECT_EQ(next, chunk.data());
        }
        next = chunk.data() + chunk.size();
        EXPECT_TRUE(group_.recycle(chunk));
    }
    EXPECT_EQ(0U, group_.refused());
}

TEST_P(incremental_group_test, a_chunk_ends_at_the_buffers_end_and_goes_on_in_the_next) {
    make_group(2, 16, /*incremental=*/true);
    const auto [ours, theirs] = connected_pair();
    const std::string bytes = pattern(30);
    ASSERT_TRUE(send_all(theirs, bytes.substr(0, 10)));
    while (unread(ours) < 10) ASSERT_TRUE(readable(ours));
    std::string all = text(group_.take(receive_one(ours)), 16);
    ASSERT_TRUE(send_all(theirs, bytes.substr(10)));
    while (unread(ours) < 20) ASSERT_TRUE(readable(ours));
    for (int round = 0; round < 2; ++round) {
        const auto chunk = group_.take(receive_one(ours));
        all += text(chunk, chunk.size());
    }
    EXPECT_EQ(bytes, all.substr(0, 30));
}

TEST_P(incremental_group_test, an_ended_receive_leaves_its_place_to_the_next) {
    make_group(1, 16, /*incremental=*/true);
    auto one = connected_pair();
    const auto two = connected_pair();
    ASSERT_TRUE(send_all(one.theirs, "1234"));
    const auto first = group_.take(receive_one(one.ours));
    one.theirs.close();
    EXPECT_EQ(0, receive_one(one.ours).res);
    ASSERT_TRUE(send_all(two.theirs, "5678"));
    const auto second = group_.take(receive_one(two.ours));
    EXPECT_EQ("5678", text(second, 4));
    EXPECT_EQ(first.data() + 4, second.data());
}

TEST_P(incremental_group_test, wait_all_is_einval_or_not_to_be_relied_on) {
    make_group(2, 16, /*incremental=*/true);
    const auto [ours, theirs] = connected_pair();
    prep_recv_select(next_sqe(), ours.fd(), group_.id(), 0, msg_flag::wait_all, 1);
    if (is_uring()) {  // D31
        shut_down(theirs, shutdown_how::write);
        EXPECT_EQ(0, complete_one(1).res);
        return;
    }
    EXPECT_EQ(-EINVAL, complete_one(1).res);
    ASSERT_TRUE(send_all(theirs, "kept"));
    EXPECT_EQ("kept", receive(ours, 4));
    EXPECT_EQ(2U, group_.posted());
}

TEST_P(incremental_group_test, a_private_group_fills_one_mirrored_buffer) {
    ring_buffer buffer;
    ASSERT_FALSE(ring_buffer::create(ring_buffer::granularity(), {}, buffer));
    private_group group;
    ASSERT_FALSE(private_group::create(ring_, buffer, {.pieces = 4}, group));
    const auto [ours, theirs] = connected_pair();
    const std::string bytes = pattern(3 * buffer.capacity());
    std::string received;
    std::size_t sent = 0;
    ring_.prepare_recv_multishot(ours.fd(), group.id(), 1);
    while (received.size() < bytes.size() && !HasFailure()) {
        const std::size_t piece = std::min<std::size_t>(1000, bytes.size() - sent);
        if (piece > 0) {
            ASSERT_TRUE(send_all(theirs, bytes.substr(sent, piece)));
        }
        sent += piece;
        const cqe done = complete_one(1);
        ASSERT_TRUE(done.res > 0 || done.res == -ENOBUFS) << done.res;
        (void)group.take(done);
        received += text(buffer.readable(), buffer.readable_bytes());
        buffer.commit_read(buffer.readable_bytes());
        group.recycle();
        if (!done.more()) ring_.prepare_recv_multishot(ours.fd(), group.id(), 1);
    }
    EXPECT_EQ(bytes, received);
    EXPECT_EQ(0U, group.refused());
    ring_.prepare_cancel(1, 2);
    EXPECT_EQ(0, result_of(complete(2), 2));
}

}  // namespace
}  // namespace ioring::conformance
