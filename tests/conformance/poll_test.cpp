// SPDX-License-Identifier: MIT
// poll_test.cpp - waiting for readiness itself: once, again and again, changed and removed.
#include <fcntl.h>
#include <unistd.h>

#include "entries.hpp"

namespace ioring::conformance {
namespace {

class poll_test : public backend_test {
protected:
    // Reads completions of `user_data` until one has `event`; all of them keep the poll armed.
    void expect_event(std::uint64_t user_data, std::uint32_t event) {
        for (;;) {
            const cqe done = complete_one(user_data);
            ASSERT_LT(0, done.res);
            EXPECT_TRUE(done.more());
            if ((static_cast<std::uint32_t>(done.res) & event) != 0) return;
        }
    }
    // D5: the same event may be told more than once.
    void forget_duplicates(std::uint64_t user_data) {
        prep_nop(next_sqe(), 999);
        for (;;) {
            const cqe done = complete_one();
            if (done.user_data == 999) return;
            EXPECT_EQ(user_data, done.user_data);
            EXPECT_LT(0, done.res);
        }
    }
    static bool has(int result, std::uint32_t event) {
        return result > 0 && (static_cast<std::uint32_t>(result) & event) == event;
    }

    std::array<std::byte, 16> buffer_{};
};
INSTANTIATE_TEST_SUITE_P(backend, poll_test, every_prompt_backend(), backend_name);

TEST_P(poll_test, tells_at_once_what_is_there) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_poll_add(ours.fd(), poll_event::in | poll_event::out, 1);
    EXPECT_EQ(static_cast<int>(poll_event::out), complete_one(1).res);
    ASSERT_TRUE(send_all(theirs, "x"));
    ASSERT_TRUE(readable(ours));
    ring_.prepare_poll_add(ours.fd(), poll_event::in | poll_event::out, 2);
    EXPECT_EQ(static_cast<int>(poll_event::in | poll_event::out), complete_one(2).res);
}

TEST_P(poll_test, waits_for_data_and_leaves_it_where_it_is) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_poll_add(ours.fd(), poll_event::in, 1);
    expect_nothing();
    ASSERT_TRUE(send_all(theirs, "x"));
    const cqe done = complete_one(1);
    EXPECT_EQ(static_cast<int>(poll_event::in), done.res);
    EXPECT_FALSE(done.more());
    EXPECT_EQ(1U, unread(ours));
    expect_nothing();  // Once only.
}

TEST_P(poll_test, waits_for_room) {
    const auto [ours, theirs] = narrow_pair();
    fill(ours);
    ring_.prepare_poll_add(ours.fd(), poll_event::out, 1);
    expect_nothing();
    while (readable(theirs, 100ms)) (void)receive_some(theirs);
    EXPECT_TRUE(has(complete_one(1).res, poll_event::out));
}

TEST_P(poll_test, tells_of_a_connection_that_waits_for_accept) {
    const plain_listener listener = listen_on("127.0.0.1:0");
    ring_.prepare_poll_add(listener.socket.fd(), poll_event::in, 1);
    expect_nothing();
    const socket_end client = connect_to(listener.address);
    EXPECT_TRUE(has(complete_one(1).res, poll_event::in));
    EXPECT_LE(0, accept_from(listener.socket).number());
}

TEST_P(poll_test, an_end_of_stream_is_readable) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_poll_add(ours.fd(), poll_event::in, 1);
    expect_nothing();
    shut_down(theirs, shutdown_how::write);
    EXPECT_TRUE(has(complete_one(1).res, poll_event::in));
    EXPECT_EQ(0, recv(ours, buffer_));
}

TEST_P(poll_test, a_reset_is_told_though_nobody_asked) {
    auto [ours, theirs] = connected_pair();
    ring_.prepare_poll_add(ours.fd(), /*events=*/0, 1);
    expect_nothing();
    theirs.reset();
    EXPECT_TRUE(has(complete_one(1).res, poll_event::hup));
}

TEST_P(poll_test, a_hang_up_of_both_sides_is_told_though_nobody_asked) {
    if (is_winsock()) return;  // D27
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_poll_add(ours.fd(), /*events=*/0, 1);
    expect_nothing();
    shut_down(ours, shutdown_how::write);
    shut_down(theirs, shutdown_how::write);
    EXPECT_TRUE(has(complete_one(1).res, poll_event::hup));
}

#if defined(O_CLOEXEC)
TEST_P(poll_test, of_a_regular_file_is_ready_at_once) {
    const socket_end file{::open("/dev/null", O_RDWR | O_CLOEXEC)};
    ASSERT_LE(0, file.number());
    ring_.prepare_poll_add(file.fd(), poll_event::in, 1);
    EXPECT_EQ(static_cast<int>(poll_event::in), complete_one(1).res);
}
#endif

TEST_P(poll_test, of_a_descriptor_that_is_not_open_is_ebadf) {
    ring_.prepare_poll_add(fd{-1}, poll_event::in, 1);
    EXPECT_EQ(-EBADF, complete_one(1).res);
    ring_.prepare_poll_multishot(fd{-1}, poll_event::in, 2);
    EXPECT_EQ(-EBADF, complete_one(2).res);
}

#if defined(O_CLOEXEC)
TEST_P(poll_test, of_a_pipe_sees_data_and_the_writers_end) {
    std::array<int, 2> ends{};
    ASSERT_EQ(0, ::pipe(ends.data()));
    const socket_end reader{ends[0]};
    socket_end writer{ends[1]};
    ring_.prepare_poll_add(reader.fd(), poll_event::in, 1);
    expect_nothing();
    ASSERT_EQ(1, ::write(writer.number(), "x", 1));
    EXPECT_TRUE(has(complete_one(1).res, poll_event::in));
    char byte = 0;
    ASSERT_EQ(1, ::read(reader.number(), &byte, 1));
    ring_.prepare_poll_add(reader.fd(), poll_event::in, 2);
    expect_nothing();
    writer.close();
    EXPECT_TRUE(has(complete_one(2).res, poll_event::hup));
}
#endif

TEST_P(poll_test, with_fields_that_it_does_not_have_is_einval) {
    const socket_pair both = connected_pair();
    const auto refused = [&](auto&& change) {
        change(*ring_.prepare_poll_add(both.ours.fd(), poll_event::out, 1));
        EXPECT_EQ(-EINVAL, complete_one(1).res);
    };
    refused([](sqe& entry) { entry.ioprio = 1; });
    refused([](sqe& entry) { entry.off = 1; });
    refused([](sqe& entry) { entry.addr = 1; });
    refused([](sqe& entry) { entry.len = poll_flag::update_events; });
    refused([](sqe& entry) { entry.len = 1U << 9U; });
    refused([](sqe& entry) {
        entry.len = poll_flag::multishot;
        entry.flags = sqe_flag::cqe_skip_success;
    });
}

TEST_P(poll_test, level_is_einval) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_poll_add(ours.fd(), poll_event::in, 1)->len = poll_flag::level;
    EXPECT_EQ(-EINVAL, complete_one(1).res);
    ring_.prepare_poll_multishot(ours.fd(), poll_event::in, 2)->len |= poll_flag::level;
    EXPECT_EQ(-EINVAL, complete_one(2).res);
}

TEST_P(poll_test, is_told_beside_a_recv_that_waits_on_the_same_descriptor) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_recv(ours.fd(), buffer_, 1);
    ring_.prepare_poll_add(ours.fd(), poll_event::in, 2);
    expect_nothing();
    ASSERT_TRUE(send_all(theirs, "x"));
    const auto all = complete(2);  // Whether it is told before or after the byte is gone.
    EXPECT_EQ(1, result_of(all, 1));
    EXPECT_TRUE(has(result_of(all, 2), poll_event::in));
}

TEST_P(poll_test, of_one_descriptor_by_many_tells_each) {
    const auto [ours, theirs] = connected_pair();
    for (std::uint64_t each = 1; each <= 20; ++each) {
        ring_.prepare_poll_add(ours.fd(), poll_event::in, each);
    }
    expect_nothing();
    ASSERT_TRUE(send_all(theirs, "x"));
    const auto all = complete(20);
    for (std::uint64_t each = 1; each <= 20; ++each) {
        EXPECT_TRUE(has(result_of(all, each), poll_event::in));
    }
}

TEST_P(poll_test, waits_for_both_directions_of_one_descriptor_independently) {
    const auto [ours, theirs] = narrow_pair();
    fill(ours);
    ring_.prepare_poll_add(ours.fd(), poll_event::out, 1);
    ring_.prepare_poll_add(ours.fd(), poll_event::in, 2);
    expect_nothing();
    ASSERT_TRUE(send_all(theirs, "x"));
    EXPECT_EQ(static_cast<int>(poll_event::in), complete_one(2).res);
    expect_nothing();
    while (readable(theirs, 100ms)) (void)receive_some(theirs);
    EXPECT_TRUE(has(complete_one(1).res, poll_event::out));
}

// Catches a poller that arms a descriptor once only (on kqueue: EV_ADD | EV_DISPATCH without
// EV_ENABLE).
TEST_P(poll_test, of_one_descriptor_is_told_each_time_that_it_is_prepared_anew) {
    const auto [ours, theirs] = connected_pair();
    for (std::uint64_t round = 1; round <= 10; ++round) {
        ring_.prepare_poll_add(ours.fd(), poll_event::in, round);
        expect_nothing();
        ASSERT_TRUE(send_all(theirs, "x"));
        EXPECT_EQ(static_cast<int>(poll_event::in), complete_one(round).res);
        EXPECT_EQ("x", receive_some(ours));
    }
}

TEST_P(poll_test, alternates_with_recv_and_send_on_one_descriptor) {
    const auto [ours, theirs] = connected_pair();
    for (std::uint64_t round = 1; round <= 10; ++round) {
        ring_.prepare_poll_add(ours.fd(), poll_event::in, round);
        expect_nothing();
        ASSERT_TRUE(send_all(theirs, "x"));
        EXPECT_TRUE(has(complete_one(round).res, poll_event::in));
        EXPECT_EQ(1, recv(ours, buffer_));
        ring_.prepare_recv(ours.fd(), buffer_, 100 + round);
        expect_nothing();
        EXPECT_EQ(1, send(ours, "y"));
        EXPECT_EQ("y", receive(theirs, 1));
        ASSERT_TRUE(send_all(theirs, "z"));
        EXPECT_EQ(1, complete_one(100 + round).res);
    }
}

TEST_P(poll_test, multishot_tells_each_new_appearance) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_poll_multishot(ours.fd(), poll_event::in, 1);
    expect_nothing();
    for (int round = 0; round < 10; ++round) {
        ASSERT_TRUE(send_all(theirs, "x"));
        expect_event(1, poll_event::in);
        EXPECT_EQ("x", receive(ours, 1));
        forget_duplicates(1);
        expect_nothing();  // It is armed, and tells nothing while there is nothing.
    }
}

TEST_P(poll_test, multishot_tells_what_is_there_when_it_is_armed) {
    const auto [ours, theirs] = connected_pair();
    ASSERT_TRUE(send_all(theirs, "x"));
    ASSERT_TRUE(readable(ours));
    ring_.prepare_poll_multishot(ours.fd(), poll_event::in, 1);
    expect_event(1, poll_event::in);
}

TEST_P(poll_test, multishot_sees_data_and_then_the_end) {
    auto [ours, theirs] = connected_pair();
    ring_.prepare_poll_multishot(ours.fd(), poll_event::in, 1);
    expect_nothing();
    ASSERT_TRUE(send_all(theirs, "x"));
    expect_event(1, poll_event::in);
    EXPECT_EQ("x", receive(ours, 1));
    forget_duplicates(1);
    theirs.close();
    expect_event(1, poll_event::in);
}

TEST_P(poll_test, multishot_goes_on_beside_recvs_that_take_the_data) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_poll_multishot(ours.fd(), poll_event::in, 1);
    for (std::uint64_t round = 100; round < 110; ++round) {
        ring_.prepare_recv(ours.fd(), buffer_, round);
        expect_nothing();
        ASSERT_TRUE(send_all(theirs, "x"));
        bool received = false;
        bool told = false;
        while (!received || !told) {
            const cqe done = complete_one();
            ASSERT_LT(0, done.res);
            ASSERT_TRUE(done.user_data == 1 || done.user_data == round);
            (done.user_data == 1 ? told : received) = true;
        }
        forget_duplicates(1);
    }
    ring_.prepare_poll_remove(1, 2);
    EXPECT_EQ(0, result_of(complete(2), 2));
}

TEST_P(poll_test, multishot_ends_when_removed) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_poll_multishot(ours.fd(), poll_event::in, 1);
    ASSERT_TRUE(send_all(theirs, "x"));
    expect_event(1, poll_event::in);
    EXPECT_EQ("x", receive(ours, 1));
    forget_duplicates(1);
    ring_.prepare_poll_remove(1, 2);
    const auto all = complete(2);
    EXPECT_EQ(0, result_of(all, 2));
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_FALSE(with_user_data(all, 1).more());
    ASSERT_TRUE(send_all(theirs, "x"));
    expect_nothing();
}

TEST_P(poll_test, removed_ends_and_removed_again_is_enoent) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_poll_add(ours.fd(), poll_event::in, 1);
    expect_nothing();
    ring_.prepare_poll_remove(1, 2);
    const auto all = complete(2);
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_EQ(0, result_of(all, 2));
    ring_.prepare_poll_remove(1, 3);
    EXPECT_EQ(-ENOENT, complete_one(3).res);
}

TEST_P(poll_test, remove_and_update_find_polls_only) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_recv(ours.fd(), buffer_, 1);
    ring_.prepare_timeout(&an_hour, 2);
    ring_.prepare_poll_remove(1, 3);
    ring_.prepare_poll_remove(2, 4);
    ring_.prepare_poll_update(1, 0, poll_event::in, poll_flag::update_events, 5);
    const auto all = complete(3);
    for (const std::uint64_t each : {3U, 4U, 5U}) EXPECT_EQ(-ENOENT, result_of(all, each));
}

TEST_P(poll_test, update_of_events_waits_for_the_new_ones) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_poll_add(ours.fd(), poll_event::in, 1);
    expect_nothing();
    ring_.prepare_poll_update(1, 0, poll_event::out, poll_flag::update_events, 2);
    const auto all = complete(2);
    EXPECT_EQ(0, result_of(all, 2));
    EXPECT_TRUE(has(result_of(all, 1), poll_event::out));
}

TEST_P(poll_test, update_to_events_that_are_missing_waits_on) {
    const auto [ours, theirs] = narrow_pair();
    fill(ours);
    ring_.prepare_poll_add(ours.fd(), poll_event::out, 1);
    expect_nothing();
    ring_.prepare_poll_update(1, 0, poll_event::in, poll_flag::update_events, 2);
    EXPECT_EQ(0, complete_one(2).res);
    while (readable(theirs, 100ms)) (void)receive_some(theirs);
    expect_nothing();  // Room is no longer waited for.
    ASSERT_TRUE(send_all(theirs, "x"));
    EXPECT_EQ(static_cast<int>(poll_event::in), complete_one(1).res);
}

TEST_P(poll_test, update_of_user_data_renames_it) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_poll_add(ours.fd(), poll_event::in, 1);
    expect_nothing();
    ring_.prepare_poll_update(1, /*new_user_data=*/9, 0, poll_flag::update_user_data, 2);
    EXPECT_EQ(0, complete_one(2).res);
    ring_.prepare_poll_remove(1, 3);
    EXPECT_EQ(-ENOENT, complete_one(3).res);
    ASSERT_TRUE(send_all(theirs, "x"));
    EXPECT_EQ(static_cast<int>(poll_event::in), complete_one(9).res);
}

TEST_P(poll_test, update_keeps_a_multishot_one_so_whether_it_says_so_or_not) {
    for (const std::uint32_t kind : {poll_flag::multishot, std::uint32_t{0}}) {
        const auto [ours, theirs] = connected_pair();
        ring_.prepare_poll_multishot(ours.fd(), poll_event::pri, 1);
        expect_nothing();
        ring_.prepare_poll_update(1, /*new_user_data=*/9, poll_event::in,
                                  poll_flag::update_events | poll_flag::update_user_data | kind, 2);
        EXPECT_EQ(0, complete_one(2).res);
        for (int round = 0; round < 3; ++round) {
            ASSERT_TRUE(send_all(theirs, "x"));
            expect_event(9, poll_event::in);
            EXPECT_EQ("x", receive(ours, 1));
            forget_duplicates(9);
        }
        ring_.prepare_poll_remove(9, 3);
        EXPECT_EQ(0, result_of(complete(2), 3));
    }
}

TEST_P(poll_test, update_of_nothing_is_enoent_and_of_no_field_einval) {
    ring_.prepare_poll_update(1, 9, 0, poll_flag::update_user_data, 2);
    EXPECT_EQ(-ENOENT, complete_one(2).res);
    // Without an update flag it is a remove, which has neither events nor new user_data.
    ring_.prepare_poll_update(1, 9, 0, /*poll_flags=*/0, 3);
    EXPECT_EQ(-EINVAL, complete_one(3).res);
    ring_.prepare_poll_update(1, 0, poll_event::in, /*poll_flags=*/0, 4);
    EXPECT_EQ(-EINVAL, complete_one(4).res);
    ring_.prepare_poll_update(1, 0, 0, poll_flag::multishot, 5);
    EXPECT_EQ(-EINVAL, complete_one(5).res);
}

TEST_P(poll_test, linked_recv_starts_when_there_is_data) {
    const auto [ours, theirs] = connected_pair();
    with_link(ring_.prepare_poll_add(ours.fd(), poll_event::in, 1));
    ring_.prepare_recv(ours.fd(), buffer_, 2);
    expect_nothing();
    ASSERT_TRUE(send_all(theirs, "hello"));
    const auto all = complete(2);
    EXPECT_TRUE(has(result_of(all, 1), poll_event::in));
    EXPECT_EQ(5, result_of(all, 2));
}

}  // namespace
}  // namespace ioring::conformance
