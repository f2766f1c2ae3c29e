// SPDX-License-Identifier: MIT
// wait_test.cpp - how long kevent() waits, timers, signals, and how a kqueue ends.
#include <signal.h>
#include <sys/wait.h>

#include <atomic>
#include <thread>

#include "kqueue_test_support.hpp"

namespace ioring::kqueue_test {
namespace {

using std::chrono::steady_clock;

class wait_test : public kqueue_test {};

TEST_F(wait_test, nothing_comes_after_the_time_and_not_sooner) {
    for (const milliseconds wait : {milliseconds{0}, milliseconds{1}, milliseconds{50}}) {
        const auto before = steady_clock::now();
        EXPECT_EQ(0, call({}, 4, wait));
        EXPECT_LE(wait, steady_clock::now() - before + slack);
    }
}

TEST_F(wait_test, without_room_for_events_it_does_not_wait) {
    const auto before = steady_clock::now();
    EXPECT_EQ(0, call({}, 0, patience));
    EXPECT_GT(patience / 2, steady_clock::now() - before);
}

TEST_F(wait_test, a_time_that_is_none_is_einval) {
    std::array<struct kevent, 1> events{};
    for (const timespec wrong :
         {timespec{.tv_sec = -1, .tv_nsec = 0}, timespec{.tv_sec = 0, .tv_nsec = 1'000'000'000}}) {
        EXPECT_EQ(-1, ::kevent(kq_.get(), nullptr, 0, events.data(), 1, &wrong));
        EXPECT_EQ(EINVAL, errno);
    }
}

TEST_F(wait_test, a_signal_ends_a_thread_s_wait_and_changes_stay_applied) {
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = [](int) {};
    action.sa_flags = SA_RESTART;  // Which has no effect on it.
    ASSERT_EQ(0, ::sigaction(SIGUSR1, &action, &before));
    const connection pair = connected();
    const pthread_t waiting = ::pthread_self();
    std::atomic<bool> over{false};
    // Again and again: a signal before the wait ends nothing.
    std::thread other{[&] {
        while (!over) {
            ::pthread_kill(waiting, SIGUSR1);
            ::usleep(1000);
        }
    }};
    EXPECT_EQ(-1, call({change_of(pair.ours, EVFILT_READ, EV_ADD, 9)}, 4, patience));
    EXPECT_EQ(EINTR, errno);
    over = true;
    other.join();
    ASSERT_EQ(0, ::sigaction(SIGUSR1, &before, nullptr));
    send_text(pair.theirs, "x");
    EXPECT_EQ(9U, udata_of(next_one()));
}

TEST_F(wait_test, bytes_from_another_thread_end_the_wait) {
    const connection pair = connected();
    apply({change_of(pair.ours, EVFILT_READ, EV_ADD | EV_CLEAR)});
    for (int round = 0; round < 50; ++round) {
        std::thread other{[&] { send_text(pair.theirs, "x"); }};
        EXPECT_EQ(EVFILT_READ, next_one().filter);
        other.join();
    }
}

TEST_F(wait_test, a_timer_fires_each_interval_and_counts_what_was_missed) {
    const auto before = steady_clock::now();
    apply({change_of(std::uintptr_t{1}, EVFILT_TIMER, EV_ADD, 0, 40)});
    EXPECT_EQ(EVFILT_TIMER, next_one().filter);
    EXPECT_LE(milliseconds{40}, steady_clock::now() - before + slack);
    ::usleep(140'000);
    EXPECT_LE(2, next_one().data);
    EXPECT_LE(1, next_one().data);
    apply({change_of(std::uintptr_t{1}, EVFILT_TIMER, EV_DELETE)});
    EXPECT_EQ(0U, next(milliseconds{60}).size());
}

TEST_F(wait_test, a_one_shot_timer_fires_once) {
    apply({change_of(std::uintptr_t{1}, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 10),
           change_of(std::uintptr_t{2}, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 20)});
    EXPECT_EQ(1U, next_one().ident);
    EXPECT_EQ(2U, next_one().ident);
    EXPECT_EQ(0U, next(milliseconds{60}).size());
    EXPECT_EQ(ENOENT, error_of(change_of(std::uintptr_t{1}, EVFILT_TIMER, EV_DELETE)));
}

TEST_F(wait_test, a_disabled_timer_does_not_end_a_wait) {
    apply({change_of(std::uintptr_t{1}, EVFILT_TIMER, EV_ADD | EV_DISABLE, 0, 5)});
    const auto before = steady_clock::now();
    EXPECT_EQ(0U, next(milliseconds{60}).size());
    EXPECT_LE(milliseconds{60}, steady_clock::now() - before + slack);
}

TEST_F(wait_test, a_child_does_not_inherit_a_kqueue) {
    const int number = kq_.get();
    const pid_t child = ::fork();
    ASSERT_LE(0, child);
    if (child == 0) {
        const bool gone = ::fcntl(number, F_GETFD) == -1 && errno == EBADF;
        // The number is free, and a kqueue of the child's own works.
        const int own = ::kqueue();
        const struct kevent change = change_of(std::uintptr_t{1}, EVFILT_USER, EV_ADD);
        const bool works = own >= 0 && ::kevent(own, &change, 1, nullptr, 0, nullptr) == 0;
        ::_exit(gone && works ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(child, ::waitpid(child, &status, 0));
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    // The parent's goes on.
    const connection pair = connected();
    send_text(pair.theirs, "x");
    apply({change_of(pair.ours, EVFILT_READ, EV_ADD)});
    EXPECT_EQ(1U, ready());
}

int lowest_free_number() {
    const int number = ::dup(0);
    ::close(number);
    return number;
}

TEST_F(wait_test, closing_a_kqueue_gives_all_its_descriptors_back) {
    const int free_before = lowest_free_number();
    for (int round = 0; round < 5; ++round) {
        const descriptor_owner other{::kqueue()};
        ASSERT_LE(0, other.get());
        const struct kevent change = change_of(std::uintptr_t{1}, EVFILT_TIMER, EV_ADD, 0, 1000);
        EXPECT_EQ(0, ::kevent(other.get(), &change, 1, nullptr, 0, nullptr));
    }
    EXPECT_EQ(free_before, lowest_free_number());
}

TEST_F(wait_test, a_kqueue_is_readable_for_another_one_while_it_has_an_event) {
    const descriptor_owner outer{::kqueue()};
    const struct kevent watch = change_of(kq_, EVFILT_READ, EV_ADD);
    ASSERT_EQ(0, ::kevent(outer.get(), &watch, 1, nullptr, 0, nullptr));
    struct kevent event {};
    const timespec now{};
    EXPECT_EQ(0, ::kevent(outer.get(), nullptr, 0, &event, 1, &now));
    apply({change_of(std::uintptr_t{1}, EVFILT_USER, EV_ADD | EV_CLEAR),
           change_of(std::uintptr_t{1}, EVFILT_USER, 0, NOTE_TRIGGER)});
    ASSERT_EQ(1, ::kevent(outer.get(), nullptr, 0, &event, 1, nullptr));
    EXPECT_EQ(static_cast<std::uintptr_t>(kq_.get()), event.ident);
}

}  // namespace
}  // namespace ioring::kqueue_test
