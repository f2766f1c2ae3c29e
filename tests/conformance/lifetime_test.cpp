// SPDX-License-Identifier: MIT
// lifetime_test.cpp - the end of a ring with everything in flight, of its pool, and of a fork.
#include <fcntl.h>
#include <unistd.h>
#if __has_include(<sys/wait.h>)
#include <sys/wait.h>
#endif

#include "entries.hpp"
#include "ioring/buffer_group.hpp"
#include "ioring/buffer_pool.hpp"

namespace ioring::conformance {
namespace {

class lifetime_test : public backend_test {
protected:
    void end_ring() { ring_ = ring{}; }

    std::array<std::byte, 64> buffer_{};
};
INSTANTIATE_TEST_SUITE_P(backend, lifetime_test, every_backend(), backend_name);

TEST_P(lifetime_test, the_ring_goes_with_everything_in_flight_and_leaves_all_sockets_usable) {
    const auto [ours, theirs] = connected_pair();
    const auto [sending, sending_peer] = narrow_pair();
    const plain_listener listener = listen_on("127.0.0.1:0");
    fill(sending);
    const std::string bytes = pattern(1000);
    with_link(ring_.prepare_recv(ours.fd(), buffer_, 1));
    ring_.prepare_link_timeout(&an_hour, 2);
    ring_.prepare_recv(ours.fd(), buffer_, 3, msg_flag::wait_all);
    ring_.prepare_send(sending.fd(), bytes_of(std::string_view{bytes}), 4);
    ring_.prepare_accept_multishot(listener.socket.fd(), 5);
    ring_.prepare_poll_multishot(ours.fd(), poll_event::in, 6);
    ring_.prepare_timeout(&an_hour, 7);
    ring_.prepare_timeout(&an_hour, 8, /*completions=*/1000);
    with_link(ring_.prepare_recv(ours.fd(), buffer_, 9));
    ring_.prepare_nop(10);
    expect_nothing();
    const auto start = std::chrono::steady_clock::now();
    end_ring();
    EXPECT_LT(since(start), 900ms) << "the drain ran into its deadline";
    ASSERT_TRUE(send_all(theirs, "mine"));
    EXPECT_EQ("mine", receive(ours, 4));  // Nobody else took it.
    const socket_end client = connect_to(listener.address);
    EXPECT_LE(0, accept_from(listener.socket).number());
}

TEST_P(lifetime_test, nothing_is_written_after_the_ring_is_gone) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_recv(ours.fd(), buffer_, 1);
    ring_.prepare_recv(ours.fd(), buffer_, 2, msg_flag::wait_all);
    expect_nothing();
    end_ring();
    ASSERT_TRUE(send_all(theirs, "not for the ring"));
    ASSERT_TRUE(readable(ours));
    EXPECT_EQ(std::string(64, '\0'), text(buffer_, 64));
    EXPECT_EQ(16U, unread(ours));
}

TEST_P(lifetime_test, what_was_prepared_and_not_submitted_never_starts) {
    const auto [ours, theirs] = connected_pair();
    ASSERT_EQ(0, ring_.submit());
    ring_.prepare_send(ours.fd(), bytes_of(std::string_view{"secret"}), 1);
    end_ring();
    EXPECT_FALSE(readable(theirs, 10ms));
}

TEST_P(lifetime_test, rings_leave_no_descriptor_behind) {
    const auto [ours, theirs] = connected_pair();
    {
        const ring first = another_ring();  // What is opened once a process is open now.
    }
    end_ring();
    const std::size_t before = open_descriptors();
    for (int round = 0; round < 20; ++round) {
        ring each = another_ring();
        each.prepare_recv(ours.fd(), buffer_, 1);
        each.prepare_poll_multishot(ours.fd(), poll_event::in, 2);
        each.prepare_nop(3);
        ASSERT_EQ(3, each.submit_and_wait(1, patience));
    }
    EXPECT_EQ(before, open_descriptors());
}

TEST_P(lifetime_test, a_ring_that_was_never_used_ends_at_once) {
    const ring unused = another_ring();
    EXPECT_TRUE(unused.valid());
}

TEST_P(lifetime_test, unread_completions_go_with_the_ring) {
    for (std::uint64_t each = 0; each < 10; ++each) prep_nop(next_sqe(), each);
    ASSERT_EQ(10, wait_through(ring_, 10, patience));
    EXPECT_TRUE(ring_.post(11, 0));
    end_ring();
    EXPECT_FALSE(ring_.valid());
    EXPECT_EQ(nullptr, ring_.get_sqe());
}

TEST_P(lifetime_test, a_moved_ring_goes_on) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_recv(ours.fd(), buffer_, 1);
    expect_nothing();
    ring moved = std::move(ring_);
    ring_ = std::move(moved);
    ASSERT_TRUE(send_all(theirs, "x"));
    EXPECT_EQ(1, complete_one(1).res);
}

TEST_P(lifetime_test, the_pool_may_go_before_the_ring_with_a_receive_in_flight) {
    const auto [ours, theirs] = connected_pair();
    {
        buffer_pool pool;
        ASSERT_FALSE(buffer_pool::create(ring_, {.slab_buffers = 2, .slabs_max = 1}, pool));
        buffer_lease lease = pool.acquire();
        ring_.prepare_recv(ours.fd(), lease->writable(), 1);
        expect_nothing();
    }
    ASSERT_TRUE(send_all(theirs, "x"));
    const cqe done = complete_one(1);  // Into memory that the ring keeps until now.
    EXPECT_TRUE(done.res == 1 || done.res == -ECANCELED) << done.res;
}

TEST_P(lifetime_test, the_ring_may_go_before_the_pool_with_a_receive_in_flight) {
    const auto [ours, theirs] = connected_pair();
    buffer_pool pool;
    ASSERT_FALSE(buffer_pool::create(ring_, {.slab_buffers = 2, .slabs_max = 1}, pool));
    buffer_lease lease = pool.acquire();
    ring_.prepare_recv(ours.fd(), lease->writable(), 1);
    expect_nothing();
    end_ring();
    ASSERT_TRUE(send_all(theirs, "kept"));
    EXPECT_EQ("kept", receive(ours, 4));
    EXPECT_EQ(std::byte{0}, lease->writable().front());
}

#if __has_include(<sys/wait.h>)
TEST_P(lifetime_test, a_forked_child_has_no_ring_and_the_parent_goes_on) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_recv(ours.fd(), buffer_, 1);
    ring_.prepare_timeout(&an_hour, 2);
    expect_nothing();
    const pid_t child = ::fork();
    if (child == 0) {
        int wrong = 0;
        if (ring_.submit() != -EOWNERDEAD) ++wrong;
        if (ring_.submit_and_wait(1, 10ms) != -EOWNERDEAD) ++wrong;
        if (ring_.get_sqe() != nullptr) ++wrong;
        if (ring_.completion_queue_count() != 0) ++wrong;
        ring_ = ring{};  // Must not cancel what is the parent's.
        ::_exit(wrong);
    }
    int status = -1;
    ASSERT_EQ(child, ::waitpid(child, &status, 0));
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(0, WEXITSTATUS(status));
    expect_nothing();
    ASSERT_TRUE(send_all(theirs, "x"));
    EXPECT_EQ(1, complete_one(1).res);
    ring_.prepare_timeout_remove(2, 3);
    EXPECT_EQ(0, result_of(complete(2), 3));
}
#endif

#if __has_include(<sys/wait.h>)
TEST_P(lifetime_test, a_forked_child_may_make_a_ring_of_its_own) {
    expect_nothing();
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(10);
        const std::string name = GetParam();
        ring own;
        if (ring::create({.sq_entries = 8, .backend = name}, own)) ::_exit(1);
        own.prepare_nop(1);
        if (own.submit_and_wait(1, patience) != 1) ::_exit(2);
        ::_exit(own.completion_queue_count() == 1 ? 0 : 3);
    }
    int status = -1;
    ASSERT_EQ(child, ::waitpid(child, &status, 0));
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(0, WEXITSTATUS(status));
    expect_nothing();
}
#endif

}  // namespace
}  // namespace ioring::conformance
