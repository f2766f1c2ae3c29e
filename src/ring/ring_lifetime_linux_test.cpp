// SPDX-License-Identifier: MIT
// ring_lifetime_linux_test.cpp - a ring's end, with operations in flight, in a forked child, under
// limits.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <thread>

#include "ring/ring_state.hpp"
#include "ring/ring_test_support.hpp"

namespace ioring::ring_tests {
namespace {

struct socket_pair {
    socket_pair() {
        std::array<int, 2> both{};
        EXPECT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both.data()));
        ours = fd{both[0]};
        theirs = fd{both[1]};
    }
    ~socket_pair() {
        ::close(ours.value);
        ::close(theirs.value);
    }
    fd ours;
    fd theirs;
};

ring make_uring(ring_options options = {.sq_entries = 32, .connections_max = 4}) {
    options.backend = "uring";
    return make_ring(options);
}

int descriptors_open() {
    int count = 0;
    for (int each = 0; each < 1024; ++each) count += ::fcntl(each, F_GETFD) >= 0 ? 1 : 0;
    return count;
}

TEST(ring_lifetime, nothing_is_written_after_the_ring_is_gone) {
    socket_pair both;
    std::string into(64, '.');
    {
        ring ours = make_uring();
        for (std::uint64_t tag = 0; tag < 8; ++tag) {
            ASSERT_NE(nullptr, ours.prepare_recv(both.ours, bytes_of(into), tag));
        }
        ASSERT_EQ(8, ours.submit());
        EXPECT_EQ(8U, ours.in_flight());
    }
    ASSERT_EQ(5, ::send(both.theirs.value, "LATER", 5, 0));
    std::array<char, 8> rest{};
    EXPECT_EQ(5, ::recv(both.ours.value, rest.data(), rest.size(), 0));  // Nobody else took it.
    EXPECT_EQ(std::string(64, '.'), into);
}

TEST(ring_lifetime, what_was_prepared_and_not_submitted_never_starts) {
    socket_pair both;
    std::string text = "secret";
    {
        ring ours = make_uring();
        ASSERT_EQ(0, ours.submit());
        ASSERT_NE(nullptr, ours.prepare_send(both.ours, bytes_of(text), 1));
    }
    std::array<char, 8> rest{};
    EXPECT_EQ(-1, ::recv(both.theirs.value, rest.data(), rest.size(), MSG_DONTWAIT));
    EXPECT_EQ(EAGAIN, errno);
}

TEST(ring_lifetime, a_hundred_rings_leave_no_descriptor_behind) {
    (void)make_uring();  // What is opened once per process is open now.
    const int before = descriptors_open();
    for (int round = 0; round < 100; ++round) {
        ring ours = make_uring();
        ASSERT_NE(nullptr, ours.prepare_nop(1));
        ASSERT_EQ(1, ours.submit_and_wait(1, patience));
    }
    EXPECT_EQ(before, descriptors_open());
}

// Memory whose release can be seen.
struct watched_memory : detail::retired_memory {
    watched_memory() {
        release = [](detail::retired_memory* self) noexcept {
            static_cast<watched_memory*>(self)->released = true;
        };
    }
    bool released = false;
};

TEST(ring_lifetime, retired_memory_waits_for_the_last_completion) {
    socket_pair both;
    std::string into(8, '.');
    ring ours = make_uring();
    const auto state = detail::ring_access::state_of(ours);
    watched_memory idle;
    state->retire(idle);
    EXPECT_TRUE(idle.released);  // Nothing is in flight.

    ASSERT_NE(nullptr, ours.prepare_recv(both.ours, bytes_of(into), 1));
    ASSERT_EQ(1, ours.submit());
    watched_memory busy;
    state->retire(busy);
    EXPECT_FALSE(busy.released);
    ASSERT_EQ(1, ::send(both.theirs.value, "x", 1, 0));
    EXPECT_EQ(1, complete_one(ours).res);
    ASSERT_EQ(0, ours.submit());
    EXPECT_TRUE(busy.released);
}

TEST(ring_lifetime, retired_memory_is_released_by_the_rings_end) {
    socket_pair both;
    std::string into(8, '.');
    watched_memory before_end;
    watched_memory after_end;
    std::shared_ptr<detail::ring_state> state;
    {
        ring ours = make_uring();
        state = detail::ring_access::state_of(ours);
        ASSERT_NE(nullptr, ours.prepare_recv(both.ours, bytes_of(into), 1));
        ASSERT_EQ(1, ours.submit());
        state->retire(before_end);
        EXPECT_FALSE(before_end.released);
    }
    EXPECT_TRUE(before_end.released);
    state->retire(after_end);
    EXPECT_TRUE(after_end.released);
}

// A send that asks for no completion makes counting worthless: the drain must not rely on it.
TEST(ring_lifetime, operations_without_a_completion_do_not_fool_the_drain) {
    socket_pair both;
    std::string into(8, '.');
    std::string text = "abc";
    watched_memory memory;
    const auto start = std::chrono::steady_clock::now();
    {
        ring ours = make_uring();
        const auto state = detail::ring_access::state_of(ours);
        sqe* const quiet = ours.prepare_send(both.ours, bytes_of(text), 1);
        ASSERT_NE(nullptr, quiet);
        quiet->flags |= sqe_flag::cqe_skip_success;
        ASSERT_NE(nullptr, ours.prepare_recv(both.ours, bytes_of(into), 2));
        ASSERT_EQ(2, ours.submit());
        state->retire(memory);
        EXPECT_FALSE(memory.released);
    }
    EXPECT_TRUE(memory.released);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 900ms);  // Not by its time-out.
}

TEST(ring_lifetime, destroyed_in_another_thread_leaks_rather_than_frees) {
    socket_pair both;
    std::string into(8, '.');
    watched_memory memory;
    std::atomic<bool> armed{false};
    std::atomic<bool> gone{false};
    ring ours = make_uring();
    const auto state = detail::ring_access::state_of(ours);
    std::thread owner{[&] {
        (void)ours.prepare_recv(both.ours, bytes_of(into), 1);
        (void)ours.submit();
        armed = true;
        while (!gone) std::this_thread::yield();
    }};
    while (!armed) std::this_thread::yield();
    ours = ring{};  // In this thread nothing can be cancelled.
    state->retire(memory);
    EXPECT_FALSE(memory.released);
    gone = true;
    owner.join();
    // End the operation, whose memory is on this stack, before the test does.
    ASSERT_EQ(1, ::send(both.theirs.value, "x", 1, 0));
}

TEST(ring_lifetime, a_forked_child_gets_an_error_and_the_parent_goes_on) {
    socket_pair both;
    std::string into(8, '.');
    ring ours = make_uring();
    listener listening;
    ASSERT_FALSE(ours.create_listener("127.0.0.1:0", {}, listening));
    ASSERT_NE(nullptr, ours.prepare_recv(both.ours, bytes_of(into), 1));
    ASSERT_EQ(1, ours.submit());
    ASSERT_NE(nullptr, ours.prepare_nop(2));  // Prepared, not submitted.

    const pid_t child = ::fork();
    ASSERT_LE(0, child);
    if (child == 0) {
        bool fine = ours.get_sqe() == nullptr && ours.submission_queue_space() == 0;
        fine = fine && ours.submit() == -EOWNERDEAD;
        fine = fine && ours.submit_and_wait(1, 1ms) == -EOWNERDEAD;
        fine = fine && ours.completion_queue_count() == 0 && !ours.post(1, 2);
        fine = fine && ours.shutdown_now(both.ours, shutdown_how::both) == -EOWNERDEAD;
        ours.wake();
        ours = ring{};
        ::_exit(fine ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(child, ::waitpid(child, &status, 0));
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(0, WEXITSTATUS(status));

    EXPECT_EQ(2U, complete_one(ours).user_data);
    ASSERT_EQ(1, ::send(both.theirs.value, "x", 1, 0));
    EXPECT_EQ(1, complete_one(ours).res);
    EXPECT_EQ('x', into.front());
    EXPECT_EQ(0U, ours.counters().wakes);
    EXPECT_TRUE(listening.valid());
}

TEST(ring_lifetime, a_listener_may_outlive_its_ring) {
    listener listening;
    endpoint address;
    {
        ring ours = make_uring();
        ASSERT_FALSE(ours.create_listener("127.0.0.1:0", {}, listening));
        address = listening.local_endpoint();
        ASSERT_NE(nullptr, ours.prepare_accept_multishot(listening, 1));
        ASSERT_EQ(1, ours.submit());
    }
    listening.close();
    ring other = make_uring();
    fd client;
    EXPECT_EQ(std::errc::connection_refused,
              other.connect_now(std::array{address}, patience, client));
}

// Root is exempt from RLIMIT_MEMLOCK, so the child becomes somebody else first.
TEST(ring_lifetime, a_small_memlock_limit_costs_the_pinning_and_nothing_else) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to become an unprivileged user";
    const pid_t child = ::fork();
    ASSERT_LE(0, child);
    if (child == 0) {
        const rlimit limit{.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
        if (::setrlimit(RLIMIT_MEMLOCK, &limit) != 0 || ::setgid(65533) != 0 ||
            ::setuid(65533) != 0) {
            ::_exit(2);
        }
        ring ours;
        std::string why;
        if (ring::create({.sq_entries = 32, .cq_entries = 64, .backend = "uring"}, ours, &why)) {
            std::fprintf(stderr, "%s\n", why.c_str());
            ::_exit(3);
        }
        socket_pair both;
        std::string memory(4 << 20, 'm');
        buffer_id buffer{};
        connection_id connection;
        if (ours.register_buffer(bytes_of(memory), buffer) ||
            ours.register_socket(both.ours, connection)) {
            ::_exit(4);
        }
        (void)ours.prepare_send_buffer_zc(connection, buffer, 0, 100, 1);
        const cqe done = complete_one(ours);
        if (done.res != 100 || done.more()) ::_exit(5);
        if (std::string_view{ours.backend_info().registration}.find("RLIMIT_MEMLOCK") ==
            std::string_view::npos) {
            ::_exit(6);
        }
        ours = ring{};
        ::_exit(0);
    }
    int status = -1;
    ASSERT_EQ(child, ::waitpid(child, &status, 0));
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(0, WEXITSTATUS(status));
}

}  // namespace
}  // namespace ioring::ring_tests
