// SPDX-License-Identifier: MIT
// null_backend_posix_test.cpp - the null backend and what POSIX alone has: messages, signals,
// forks.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <limits>

#include "backend/backend_test_support.hpp"
#include "backend/null/null.hpp"
#include "backend/null/os.hpp"

namespace ioring::backends::null {
namespace {

program make() {
    return program{set_up_with(set_up, backend_options{.sq_entries = 8, .cq_entries = 16})};
}

TEST(null_backend_posix_test, a_message_s_result_is_the_sum_of_its_pieces) {
    program ring = make();
    std::array<char, 10> bytes{};
    std::array<iovec, 3> pieces{iovec{bytes.data(), 3}, iovec{bytes.data(), 0},
                                iovec{bytes.data(), 7}};
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(pieces.size());
    sqe entry;
    prep_sendmsg(entry, fd{3}, &message, 0, 1);
    ring.push(entry);
    prep_recvmsg(entry, fd{3}, &message, 0, 2);
    ring.push(entry);
    prep_recvmsg(entry, fd{3}, nullptr, 0, 3);
    ring.push(entry);
    const std::vector<cqe> all = ring.complete(3);
    EXPECT_EQ(10, all.at(0).res);
    EXPECT_EQ(10, all.at(1).res);
    EXPECT_EQ(-EFAULT, all.at(2).res);
}

TEST(null_backend_posix_test, a_result_does_not_wrap) {
    iovec piece{nullptr, std::numeric_limits<std::size_t>::max() / 2};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    EXPECT_EQ(std::numeric_limits<std::int32_t>::max(),
              message_bytes(ioring::detail::address_of(&message)));
}

extern "C" void ignore_alarm(int) {}

TEST(null_backend_posix_test, a_signal_ends_a_wait) {
    program ring = make();
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = ignore_alarm;
    action.sa_flags = SA_RESTART;
    ASSERT_EQ(0, ::sigaction(SIGALRM, &action, &before));
    const itimerval timer{{0, 5000}, {0, 5000}};
    const itimerval none{};
    ::setitimer(ITIMER_REAL, &timer, nullptr);
    const int result = ring.submit_and_wait(1);
    ::setitimer(ITIMER_REAL, &none, nullptr);
    ::sigaction(SIGALRM, &before, nullptr);
    EXPECT_EQ(-EINTR, result);
}

TEST(null_backend_posix_test, everything_is_refused_in_a_forked_child) {
    program ring = make();
    ring.push_nop(1);
    const pid_t child = ::fork();
    if (child == 0) {
        const bool refused =
            ring.submit() == -EOWNERDEAD && ring.wake() == -EOWNERDEAD &&
            ring->register_(register_op::wake_descriptor, nullptr, 0) == -EOWNERDEAD;
        ring->register_(register_op::abandon_after_fork, nullptr, 0);
        ring.destroy();
        ::_exit(refused ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(child, ::waitpid(child, &status, 0));
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    EXPECT_EQ(1, ring.submit_and_wait(1));
    ring.reap();
    EXPECT_EQ(-ETIME, ring.submit_and_wait(1, millisecond_ns));  // Nobody woke it.
}

}  // namespace
}  // namespace ioring::backends::null
