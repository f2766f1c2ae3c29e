// SPDX-License-Identifier: MIT
// enter_test.cpp - what enter() promises: how much it took, when a wait ends, that nothing is lost.
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <csignal>

#include "backend/uring/uring_test_support.hpp"
#include "platform/clock.hpp"

namespace ioring::backends::uring {
namespace {

class enter_test : public each_kernel {};
INSTANTIATE_TEST_SUITE_P(kernels, enter_test, testing::ValuesIn(old_kernels()), kernel_name);

// Far above what a busy machine adds, far below patience.
constexpr std::uint64_t much_too_late_ns = 3'000'000'000;

TEST_P(enter_test, a_wait_ends_at_its_time_out_and_not_before) {
    program ring = make();
    ring.expect_nop_round_trip();
    for (const std::int64_t timeout_ns : {1'000'000LL, 20'000'000LL}) {
        const std::uint64_t start = platform::monotonic_ns();
        EXPECT_EQ(-ETIME, ring.submit_and_wait(1, timeout_ns));
        const std::uint64_t took = platform::monotonic_ns() - start;
        EXPECT_GE(took, static_cast<std::uint64_t>(timeout_ns));
        EXPECT_LT(took, much_too_late_ns);
    }
}

TEST(enter_timeout_test, a_time_out_over_a_second_is_told_in_seconds_and_the_rest) {
    // With a registered wait and without one.
    for (const std::size_t kernel : {0U, 5U}) {
        program ring{set_up_with(set_up_masked, small_ring, old_kernels()[kernel].mask)};
        const std::uint64_t start = platform::monotonic_ns();
        EXPECT_EQ(-ETIME, ring.submit_and_wait(1, 1'010'000'000));
        EXPECT_GE(platform::monotonic_ns() - start, 1'010'000'000U);
    }
}

TEST_P(enter_test, a_time_out_of_nothing_does_not_wait) {
    program ring = make();
    const std::uint64_t start = platform::monotonic_ns();
    EXPECT_EQ(-ETIME, ring.submit_and_wait(1, 0));
    EXPECT_LT(platform::monotonic_ns() - start, much_too_late_ns);
}

TEST_P(enter_test, a_wait_that_submitted_and_timed_out_tells_how_many_it_took) {
    program ring = make();
    ring.push_nop(1);
    ring.push_nop(2);
    EXPECT_EQ(2, ring.submit_and_wait(/*min_complete=*/3, 5 * millisecond_ns));
    EXPECT_EQ(2U, ring.ready());
}

TEST_P(enter_test, a_wait_with_too_few_in_the_queue_times_out_quietly) {
    program ring = make();
    ring.push_nop(1);
    ASSERT_EQ(1, ring.submit_and_wait(1));
    const std::uint64_t start = platform::monotonic_ns();
    EXPECT_EQ(0, ring.submit_and_wait(/*min_complete=*/2, 5 * millisecond_ns));
    EXPECT_GE(platform::monotonic_ns() - start, 5'000'000U);
    EXPECT_EQ(1U, ring.ready());
}

TEST_P(enter_test, a_wait_for_many_may_end_sooner_but_not_with_nothing) {
    program ring = make();
    const std::array<kernel_timespec, 3> times{
        kernel_timespec{0, 1'000'000}, {0, 5'000'000}, {0, 10'000'000}};
    for (const kernel_timespec& time : times) {
        sqe entry;
        prep_timeout(entry, &time, 0, 0, 1);
        ring.push(entry);
    }
    // A timer that is over ends a wait of the kernel whatever it waits for.
    EXPECT_EQ(3, ring.submit_and_wait(3));
    for (int turn = 0; turn < 3 && ring.ready() < 3; ++turn) {
        EXPECT_LE(1U, ring.ready());
        EXPECT_EQ(0, ring.submit_and_wait(3));
    }
    EXPECT_EQ(3U, ring.ready());
}

TEST_P(enter_test, without_getevents_it_does_not_wait) {
    program ring = make();
    const std::uint64_t start = platform::monotonic_ns();
    EXPECT_EQ(0, ring->enter(0, /*min_complete=*/1, /*flags=*/0, no_timeout));
    ring.push_nop(1);
    EXPECT_EQ(1, ring->enter(1, /*min_complete=*/2, /*flags=*/0, no_timeout));
    EXPECT_LT(platform::monotonic_ns() - start, much_too_late_ns);
}

TEST_P(enter_test, takes_no_more_than_it_is_told_to) {
    program ring = make();
    for (std::uint64_t i = 0; i < 5; ++i) ring.push_nop(i);
    EXPECT_EQ(2, ring->enter(2, 0, enter_flag::getevents, no_timeout));
    EXPECT_EQ(3U, ring.pending());
    EXPECT_EQ(2U, ring.reap().size());
    EXPECT_EQ(3, ring.submit());
    ring.complete(3);
}

TEST_P(enter_test, entries_behind_a_bad_one_are_not_lost) {
    program ring = make();
    ring.push_nop(1);
    sqe bad;
    prep_nop(bad, 2);
    bad.op = static_cast<opcode>(200);
    ring.push(bad);
    ring.push_nop(3);
    bad.op = opcode::nop;
    bad.flags = 0x80;  // No such flag.
    bad.user_data = 4;
    ring.push(bad);
    ring.push_nop(5);

    EXPECT_EQ(5, ring.submit_and_wait(5));
    std::array<int, 6> results{};
    for (const cqe& done : ring.reap()) results.at(done.user_data) = done.res == 0 ? 1 : done.res;
    EXPECT_EQ((std::array<int, 6>{0, 1, -EINVAL, 1, -EINVAL, 1}), results);
}

TEST_P(enter_test, a_completion_queue_that_overflows_loses_nothing) {
    program ring = make();  // 16 completions.
    std::uint64_t next = 0;
    for (int round = 0; round < 6; ++round) {
        for (std::uint64_t i = 0; i < 8; ++i) ring.push_nop(next++);
        ASSERT_EQ(8, ring.submit());
    }
    // The flag tells; the counter of thrown away completions stays.
    EXPECT_TRUE(ring.flagged(sq_flag::cq_overflow));
    std::vector<cqe> all;
    while (all.size() < next) {
        for (const cqe& done : ring.reap()) all.push_back(done);
        const int result = ring->enter(0, 0, enter_flag::getevents, no_timeout);
        ASSERT_GE(result, 0);
        if (ring.ready() == 0) break;
    }
    ASSERT_EQ(next, all.size());
    for (std::uint64_t i = 0; i < next; ++i) EXPECT_EQ(i, all[i].user_data);
    EXPECT_FALSE(ring.flagged(sq_flag::cq_overflow));
    EXPECT_EQ(0U, ring->view().cq_overflow->load());
}

// --- signals ---

volatile std::sig_atomic_t alarms = 0;
backend* woken_by_signal = nullptr;

extern "C" void count_alarm(int) { alarms = alarms + 1; }
extern "C" void wake_on_alarm(int) {
    alarms = alarms + 1;
    if (woken_by_signal != nullptr) woken_by_signal->register_(register_op::wake, nullptr, 0);
}

// Sends SIGALRM every `interval_us` while it lives, so that one comes while the wait sleeps.
class alarm_clock {
public:
    alarm_clock(void (*handler)(int), int flags, long interval_us) {
        alarms = 0;
        struct sigaction action {};
        action.sa_handler = handler;
        action.sa_flags = flags;
        ::sigaction(SIGALRM, &action, &before_);
        const itimerval timer{{0, interval_us}, {0, interval_us}};
        ::setitimer(ITIMER_REAL, &timer, nullptr);
    }
    alarm_clock(const alarm_clock&) = delete;
    alarm_clock& operator=(const alarm_clock&) = delete;
    ~alarm_clock() {
        const itimerval none{};
        ::setitimer(ITIMER_REAL, &none, nullptr);
        ::sigaction(SIGALRM, &before_, nullptr);
    }

private:
    struct sigaction before_ {};
};

TEST_P(enter_test, a_signal_ends_a_wait_even_with_sa_restart) {
    program ring = make();
    ring.expect_nop_round_trip();
    const alarm_clock clock{count_alarm, SA_RESTART, /*interval_us=*/5000};
    EXPECT_EQ(-EINTR, ring.submit_and_wait(1));
    EXPECT_GE(alarms, 1);
}

TEST_P(enter_test, a_signal_ends_a_wait_for_many) {
    program ring = make();
    ring.push_nop(1);
    ASSERT_EQ(1, ring.submit_and_wait(1));
    const alarm_clock clock{count_alarm, SA_RESTART, /*interval_us=*/5000};
    // Something is in the queue: no error, as the kernel.
    EXPECT_EQ(0, ring.submit_and_wait(2));
}

TEST_P(enter_test, wake_from_a_signal_handler_ends_the_wait) {
    program ring = make();
    ring.arm_wake();
    woken_by_signal = &*ring;
    {
        const alarm_clock clock{wake_on_alarm, SA_RESTART, /*interval_us=*/5000};
        const int result = ring.submit_and_wait(1);
        EXPECT_TRUE(result == 0 || result == -EINTR) << result;
        EXPECT_GE(alarms, 1);
    }
    woken_by_signal = nullptr;
}

// --- wake ---

TEST_P(enter_test, a_wake_before_the_wait_ends_it) {
    program ring = make();
    ring.arm_wake();
    EXPECT_EQ(0, ring.wake());
    EXPECT_EQ(0, ring.wake());
    EXPECT_EQ(0, ring.submit_and_wait(1));
    // What the poll posted is the library's own.
    ring->enter(0, 0, enter_flag::getevents, no_timeout);
    for (const cqe& done : ring.reap()) EXPECT_EQ(reserved_user_data, done.user_data);
    EXPECT_EQ(-ETIME, ring.submit_and_wait(1, 5 * millisecond_ns));
}

TEST_P(enter_test, a_wake_before_the_first_enter_is_kept) {
    program ring = make();
    EXPECT_EQ(0, ring.wake());
    ring.arm_wake();
    EXPECT_EQ(0, ring.submit_and_wait(1));
    ring.reap();
    EXPECT_EQ(-ETIME, ring.submit_and_wait(1, millisecond_ns));
}

TEST_P(enter_test, a_wake_does_not_keep_entries_from_being_taken) {
    program ring = make();
    ring.arm_wake();
    EXPECT_EQ(0, ring.wake());
    ring.push_nop(1);
    EXPECT_EQ(1, ring.submit_and_wait(1));
    EXPECT_LE(1U, ring.ready());
}

TEST_P(enter_test, wakes_work_again_and_again) {
    program ring = make();
    ring.arm_wake();
    for (int i = 0; i < 100; ++i) {
        ASSERT_EQ(0, ring.wake());
        ASSERT_EQ(0, ring.submit_and_wait(1)) << i;
        ring->enter(0, 0, enter_flag::getevents, no_timeout);
        for (const cqe& done : ring.reap()) {
            ASSERT_EQ(reserved_user_data, done.user_data);
            ASSERT_TRUE(done.more());
        }
    }
}

// --- one call ---

TEST_P(enter_test, counts_its_calls_and_makes_none_for_nothing) {
    program ring = make();
    ring.expect_nop_round_trip();
    const std::uint64_t before = uring_of(ring).enter_calls();
    EXPECT_EQ(0, ring->enter(0, 0, 0, no_timeout));
    EXPECT_EQ(before, uring_of(ring).enter_calls());
    for (std::uint64_t i = 0; i < 8; ++i) ring.push_nop(i);
    EXPECT_EQ(8, ring.submit_and_wait(8));
    EXPECT_EQ(before + 1, uring_of(ring).enter_calls());
    EXPECT_EQ(8U, ring.reap().size());
    EXPECT_EQ(-ETIME, ring.submit_and_wait(8, millisecond_ns));
    EXPECT_EQ(before + 2, uring_of(ring).enter_calls());
}

constexpr int turns = 20;

// The traced child: `turns` batches, each submitted and waited for, between two getppid().
int run_turns(const kernel_mask& mask) {
    std::unique_ptr<backend> made;
    std::string why;
    if (set_up_masked(small_ring, mask, made, why)) return 2;
    program ring{std::move(made)};
    ring.push_nop(0);
    if (ring.submit_and_wait(1) != 1 || ring.reap().size() != 1) return 3;

    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) return 4;
    ::raise(SIGSTOP);
    ::syscall(SYS_getppid);
    for (int turn = 0; turn < turns; ++turn) {
        for (std::uint64_t i = 0; i < 3; ++i) ring.push_nop(i);
        const std::int64_t timeout_ns = turn % 2 == 0 ? patience_ns : no_timeout;
        // Without memory of its own: a sanitizer's allocator makes calls too.
        if (ring.submit_and_wait(3, timeout_ns) != 3 || ring.drop_all() != 3) return 5;
    }
    ::syscall(SYS_getppid);
    return 0;
}

// The system calls of `child` between its two calls of getppid().
std::vector<std::uint64_t> trace(pid_t child) {
    std::vector<std::uint64_t> calls;
    int markers = 0;
    int status = 0;
    if (::waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) return calls;
    ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    for (;;) {
        if (::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr) != 0) break;
        if (::waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) break;
        if (WSTOPSIG(status) != (SIGTRAP | 0x80)) continue;
        ::__ptrace_syscall_info info{};
        ::ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info);
        if (info.op != PTRACE_SYSCALL_INFO_ENTRY) continue;
        if (info.entry.nr == SYS_getppid) {
            ++markers;
        } else if (markers == 1) {
            calls.push_back(info.entry.nr);
        }
    }
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    EXPECT_EQ(2, markers);
    return calls;
}

TEST_P(enter_test, a_batch_is_one_system_call_as_seen_from_outside) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(run_turns(GetParam().mask));
    EXPECT_EQ(std::vector<std::uint64_t>(turns, call_enter), trace(child));
}

}  // namespace
}  // namespace ioring::backends::uring
