// SPDX-License-Identifier: MIT
// user_event_test.cpp - EVFILT_USER: what a program triggers itself, from any thread and handler.
#include <signal.h>
#include <sys/time.h>

#include <thread>

#include "kqueue_test_support.hpp"

namespace ioring::kqueue_test {
namespace {

class user_event_test : public kqueue_test {
protected:
    static constexpr std::uintptr_t ident = 4711;
    static struct kevent user(int flags, unsigned fflags = 0) {
        return change_of(ident, EVFILT_USER, flags, fflags);
    }
};

TEST_F(user_event_test, any_number_of_triggers_is_one_event) {
    apply({user(EV_ADD | EV_CLEAR)});
    EXPECT_EQ(0U, ready());
    apply({user(0, NOTE_TRIGGER), user(0, NOTE_TRIGGER), user(0, NOTE_TRIGGER)});
    const struct kevent event = next_one();
    EXPECT_EQ(EVFILT_USER, event.filter);
    EXPECT_EQ(ident, event.ident);
    EXPECT_EQ(0U, ready());
    apply({user(0, NOTE_TRIGGER)});
    EXPECT_EQ(1U, ready());
}

TEST_F(user_event_test, without_clear_it_stays_triggered) {
    apply({user(EV_ADD), user(0, NOTE_TRIGGER)});
    EXPECT_EQ(1U, ready());
    EXPECT_EQ(1U, ready());
    apply({user(EV_DELETE)});
    EXPECT_EQ(0U, ready());
}

TEST_F(user_event_test, one_shot_is_gone_after_its_event) {
    apply({user(EV_ADD | EV_ONESHOT), user(0, NOTE_TRIGGER)});
    EXPECT_EQ(1U, ready());
    EXPECT_EQ(ENOENT, error_of(user(0, NOTE_TRIGGER)));
}

TEST_F(user_event_test, a_trigger_while_disabled_is_told_once_enabled) {
    apply({user(EV_ADD | EV_CLEAR), user(EV_DISABLE), user(0, NOTE_TRIGGER)});
    EXPECT_EQ(0U, ready());
    apply({user(EV_ENABLE)});
    EXPECT_EQ(1U, ready());
}

TEST_F(user_event_test, flags_are_copied_and_combined) {
    apply({user(EV_ADD, NOTE_FFCOPY | 0x0f), user(0, NOTE_FFOR | 0xf0), user(0, NOTE_FFAND | 0x3c),
           user(0, NOTE_TRIGGER)});
    EXPECT_EQ(0x3cU, next_one().fflags & NOTE_FFLAGSMASK);
}

TEST_F(user_event_test, triggered_before_it_is_added_is_enoent) {
    EXPECT_EQ(ENOENT, error_of(user(0, NOTE_TRIGGER)));
}

TEST_F(user_event_test, a_trigger_from_another_thread_ends_the_wait) {
    apply({user(EV_ADD | EV_CLEAR)});
    for (int round = 0; round < 100; ++round) {
        std::thread other{[this] { apply({user(0, NOTE_TRIGGER)}); }};
        EXPECT_EQ(ident, next_one().ident);
        other.join();
    }
}

TEST_F(user_event_test, triggers_from_many_threads_are_never_lost) {
    apply({user(EV_ADD | EV_CLEAR)});
    for (int round = 0; round < 20; ++round) {
        std::array<std::thread, 3> others;
        for (std::thread& each : others) {
            each = std::thread{[this] { apply({user(0, NOTE_TRIGGER)}); }};
        }
        EXPECT_EQ(1U, next().size());
        for (std::thread& each : others) each.join();
        EXPECT_GE(1U, ready());
        EXPECT_EQ(0U, ready());
    }
}

int kqueue_of_handler = -1;

TEST_F(user_event_test, a_signal_handler_may_trigger_whatever_it_interrupts) {
    apply({user(EV_ADD | EV_CLEAR)});
    kqueue_of_handler = kq_.get();
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = [](int) {
        const struct kevent change = user(0, NOTE_TRIGGER);
        ::kevent(kqueue_of_handler, &change, 1, nullptr, 0, nullptr);
    };
    ASSERT_EQ(0, ::sigaction(SIGALRM, &action, &before));
    const itimerval often{.it_interval = {.tv_sec = 0, .tv_usec = 300},
                          .it_value = {.tv_sec = 0, .tv_usec = 300}};
    ASSERT_EQ(0, ::setitimer(ITIMER_REAL, &often, nullptr));
    const connection pair = connected();
    int woken = 0;
    for (int round = 0; round < 100'000 && woken < 100; ++round) {
        const int count = call({change_of(pair.ours, EVFILT_READ, EV_ADD)}, 4, milliseconds{1});
        if (count < 0) {
            ASSERT_EQ(EINTR, errno);
        }
        woken += count > 0 ? 1 : 0;
    }
    EXPECT_EQ(100, woken);
    const itimerval never{};
    ASSERT_EQ(0, ::setitimer(ITIMER_REAL, &never, nullptr));
    ASSERT_EQ(0, ::sigaction(SIGALRM, &before, nullptr));
}

}  // namespace
}  // namespace ioring::kqueue_test
