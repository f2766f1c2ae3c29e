// SPDX-License-Identifier: MIT
// kqueue_script_test.cpp - what the kqueue poller asks of kevent(), and makes of its answers.
//
// In this program kqueue() and kevent() are the test's own: they note down what they are called
// with and answer as the test says, also what no kernel can be made to.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/event.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "backend/backend.hpp"
#include "backend/readiness/poller_kqueue.hpp"

namespace {

using event_list = std::vector<struct kevent>;

struct call {
    event_list changes;
    int room = 0;
    bool endless = false;
    timespec timeout{};
};

struct answer {
    int error = 0;
    event_list events;
};

struct {
    std::vector<call> calls;     // With room for events: waits.
    event_list single_changes;   // Those without.
    std::deque<answer> answers;  // To the next waits; then none: the end of the time.
    bool knows_user_events = true;
} script;

}  // namespace

extern "C" int kqueue(void) { return ::dup(0); }

extern "C" int kevent(int, const struct kevent* changes, int change_count, struct kevent* events,
                      int room, const timespec* timeout) {
    const event_list made(changes, changes + change_count);
    if (room == 0) {
        for (const struct kevent& each : made) script.single_changes.push_back(each);
        if (script.knows_user_events || made[0].filter != EVFILT_USER) return 0;
        errno = EINVAL;
        return -1;
    }
    script.calls.push_back(
        {made, room, timeout == nullptr, timeout == nullptr ? timespec{} : *timeout});
    if (script.answers.empty()) return 0;
    const answer next = script.answers.front();
    script.answers.pop_front();
    std::copy(next.events.begin(), next.events.end(), events);
    errno = next.error;
    return next.error != 0 ? -1 : static_cast<int>(next.events.size());
}

namespace ioring::backends::readiness {
namespace {

struct kevent event_of(int fd, int filter, int flags = 0, unsigned fflags = 0,
                       std::intptr_t data = 0) {
    struct kevent event {};
    event.ident = static_cast<std::uintptr_t>(fd);
    event.filter = static_cast<std::int16_t>(filter);
    event.flags = static_cast<std::uint16_t>(flags);
    event.fflags = fflags;
    event.data = data;
    return event;
}

// The entry of a change that failed, as FreeBSD makes it: nothing is left of the flags.
struct kevent failed(struct kevent change, int error) {
    change.flags = EV_ERROR;
    change.data = error;
    return change;
}

class kqueue_script_test : public ::testing::Test {
protected:
    void SetUp() override { set_up(/*knows_user_events=*/true); }
    void set_up(bool knows_user_events) {
        script = {};
        script.knows_user_events = knows_user_events;
        std::string why;
        ASSERT_FALSE(poller_.emplace().set_up(why)) << why;
        set_up_changes_ = std::exchange(script.single_changes, {});
    }
    void arm(int fd, std::uint8_t directions, arming how) {
        ASSERT_TRUE(poller_->reserve(fd));
        poller_->arm(fd, directions, how);
    }
    int wait(std::int64_t timeout_ns = 0) { return poller_->wait(events_, timeout_ns); }
    // What the last wait but `back` has changed.
    [[nodiscard]] static const event_list& changes(std::size_t back = 0) {
        static const event_list none;
        return back < script.calls.size() ? script.calls[script.calls.size() - 1 - back].changes
                                          : none;
    }
    void expect_event(int index, int fd, std::uint8_t directions, int error_hint = 0) {
        const ready_event& event = events_[static_cast<std::size_t>(index)];
        EXPECT_EQ(fd, event.fd);
        EXPECT_EQ(directions, event.directions);
        EXPECT_EQ(error_hint, event.error_hint);
    }

    std::optional<kqueue_poller> poller_;
    event_list set_up_changes_;
    std::array<ready_event, 256> events_{};
};

void expect_change(const struct kevent& change, int fd, int filter, int flags) {
    EXPECT_EQ(static_cast<std::uintptr_t>(fd), change.ident);
    EXPECT_EQ(filter, change.filter);
    EXPECT_EQ(flags, change.flags);
}

TEST_F(kqueue_script_test, what_is_armed_travels_with_the_wait) {
    arm(10, direction::read, arming::once);
    arm(11, direction::write, arming::edge);
    arm(10, direction::write, arming::once);
    EXPECT_TRUE(script.calls.empty() && script.single_changes.empty());
    EXPECT_EQ(0, wait(no_timeout));
    ASSERT_EQ(1U, script.calls.size());
    EXPECT_TRUE(script.calls[0].endless);
    ASSERT_EQ(3U, changes().size());
    expect_change(changes()[0], 10, EVFILT_READ, EV_ADD | EV_ONESHOT);
    expect_change(changes()[1], 10, EVFILT_WRITE, EV_ADD | EV_ONESHOT);
    expect_change(changes()[2], 11, EVFILT_WRITE, EV_ADD | EV_CLEAR);
    EXPECT_EQ(0, wait());
    EXPECT_TRUE(changes().empty());
}

// A number that was closed behind our back may be another's.
TEST_F(kqueue_script_test, arming_again_adds_again) {
    for (const arming how : {arming::once, arming::edge}) {
        for (int round = 0; round < 3; ++round) {
            arm(how == arming::once ? 10 : 11, direction::read, how);
            EXPECT_EQ(0, wait());
            EXPECT_EQ(1U, changes().size()) << round;
        }
    }
}

TEST_F(kqueue_script_test, each_change_has_room_for_its_error_and_none_asks_for_a_receipt) {
    for (const std::size_t room : {std::size_t{256}, std::size_t{3}, std::size_t{1}}) {
        script.calls.clear();
        for (int fd = 10; fd < 210; ++fd) arm(fd, direction::read, arming::once);
        EXPECT_EQ(0, poller_->wait(std::span{events_}.first(room), 5'000'000'000));
        std::size_t total = 0;
        for (const call& each : script.calls) {
            EXPECT_LE(each.changes.size(), static_cast<std::size_t>(each.room));
            EXPECT_LE(each.room, static_cast<int>(room));
            EXPECT_LE(each.changes.size(), 64U);
            // Only the last waits, when all has been applied.
            EXPECT_EQ(&each == &script.calls.back(), each.timeout.tv_sec != 0);
            for (const struct kevent& change : each.changes)
                EXPECT_EQ(0, change.flags & EV_RECEIPT);
            total += each.changes.size();
        }
        EXPECT_EQ(200U, total);
    }
}

TEST_F(kqueue_script_test, an_event_among_changes_leaves_the_rest_for_the_next_wait) {
    for (int fd = 10; fd < 110; ++fd) arm(fd, direction::read, arming::once);
    script.answers.push_back({0, {event_of(10, EVFILT_READ)}});
    ASSERT_EQ(1, wait(no_timeout));
    expect_event(0, 10, direction::read);
    arm(10, direction::read, arming::once);
    EXPECT_EQ(0, wait());
    ASSERT_EQ(37U, changes().size());
    expect_change(changes()[0], 74, EVFILT_READ, EV_ADD | EV_ONESHOT);  // The oldest first.
    expect_change(changes()[36], 10, EVFILT_READ, EV_ADD | EV_ONESHOT);
}

TEST_F(kqueue_script_test, a_change_that_fails_is_an_event_of_its_descriptor_and_direction) {
    arm(10, direction::read, arming::once);
    arm(11, direction::write, arming::edge);
    script.answers.push_back(
        {0,
         {failed(event_of(10, EVFILT_READ), EBADF), failed(event_of(11, EVFILT_WRITE), ENOMEM)}});
    ASSERT_EQ(2, wait(no_timeout));
    expect_event(0, 10, direction::read | direction::ended);
    expect_event(1, 11, direction::write);
    // There are no knotes to delete.
    poller_->forget(10);
    poller_->forget(11);
    EXPECT_TRUE(script.single_changes.empty());
}

TEST_F(kqueue_script_test, a_one_shot_knote_is_deleted_before_it_becomes_an_edge) {
    arm(10, direction::read, arming::once);
    EXPECT_EQ(0, wait());
    arm(10, direction::read, arming::edge);
    EXPECT_EQ(0, wait());
    ASSERT_EQ(2U, changes().size());
    expect_change(changes()[0], 10, EVFILT_READ, EV_DELETE);
    expect_change(changes()[1], 10, EVFILT_READ, EV_ADD | EV_CLEAR);
    arm(10, direction::read, arming::once);
    EXPECT_EQ(0, wait());
    ASSERT_EQ(1U, changes().size());
    expect_change(changes()[0], 10, EVFILT_READ, EV_ADD | EV_CLEAR);
}

TEST_F(kqueue_script_test, a_one_shot_knote_that_has_fired_is_not_deleted) {
    arm(10, direction::read, arming::once);
    script.answers.push_back({0, {event_of(10, EVFILT_READ)}});
    EXPECT_EQ(1, wait());
    arm(10, direction::read, arming::edge);
    EXPECT_EQ(0, wait());
    EXPECT_EQ(1U, changes().size());
}

TEST_F(kqueue_script_test, a_deletion_that_finds_nothing_does_not_end_the_wait) {
    arm(10, direction::read, arming::once);
    EXPECT_EQ(0, wait());
    arm(10, direction::read, arming::edge);
    for (const int error : {ENOENT, EBADF}) {
        struct kevent deletion = event_of(10, EVFILT_READ);
        // The poller knows its own by udata, which a kernel gives back.
        deletion.udata = reinterpret_cast<void*>(1);
        script.answers.push_back({0, {failed(deletion, error)}});
    }
    script.answers.push_back({0, {event_of(10, EVFILT_READ)}});
    ASSERT_EQ(1, wait(no_timeout));
    expect_event(0, 10, direction::read);
    EXPECT_EQ(reinterpret_cast<void*>(1), changes(2).at(0).udata);
    EXPECT_EQ(nullptr, changes(2).at(1).udata);
    EXPECT_TRUE(changes().empty());
    EXPECT_TRUE(script.calls.back().endless);
}

TEST_F(kqueue_script_test, the_errno_of_a_connect_is_the_hint_and_concerns_all) {
    arm(10, direction::read | direction::write, arming::once);
    script.answers.push_back({0,
                              {event_of(10, EVFILT_WRITE, EV_EOF, ECONNREFUSED),
                               event_of(11, EVFILT_READ, EV_EOF, ECONNRESET)}});
    arm(11, direction::read, arming::once);
    ASSERT_EQ(2, wait());
    expect_event(0, 10, direction::all, ECONNREFUSED);
    expect_event(1, 11, direction::all);
}

TEST_F(kqueue_script_test, an_end_is_told_with_reading_and_bytes_are_none) {
    arm(10, direction::ended, arming::once);
    script.answers.push_back({0, {event_of(10, EVFILT_READ, 0, 0, 5)}});
    script.answers.push_back({0, {event_of(10, EVFILT_READ, EV_EOF, 0, 5)}});
    ASSERT_EQ(1, wait(no_timeout));
    EXPECT_EQ(2U, script.calls.size());
    expect_change(changes(1).at(0), 10, EVFILT_READ, EV_ADD | EV_CLEAR);
    expect_event(0, 10, direction::read | direction::ended);
}

TEST_F(kqueue_script_test, an_interrupted_wait_is_told_and_its_changes_are_not_made_again) {
    arm(10, direction::read, arming::once);
    script.answers.push_back({EINTR, {}});
    EXPECT_EQ(-EINTR, wait(no_timeout));
    EXPECT_EQ(0, wait());
    EXPECT_TRUE(changes().empty());
    poller_->forget(10);  // It was added.
    EXPECT_EQ(1U, script.single_changes.size());
}

TEST_F(kqueue_script_test, forgetting_deletes_what_there_is_and_drops_what_was_to_be) {
    arm(10, direction::read | direction::write, arming::once);
    EXPECT_EQ(0, wait());
    arm(10, direction::urgent | direction::read, arming::edge);
    poller_->forget(10);
    ASSERT_EQ(2U, script.single_changes.size());
    expect_change(script.single_changes[0], 10, EVFILT_READ, EV_DELETE);
    expect_change(script.single_changes[1], 10, EVFILT_WRITE, EV_DELETE);
    EXPECT_EQ(0, wait());
    EXPECT_TRUE(changes().empty());
    arm(10, direction::read, arming::once);  // Nothing of `edge` is left.
    EXPECT_EQ(0, wait());
    expect_change(changes().at(0), 10, EVFILT_READ, EV_ADD | EV_ONESHOT);
}

TEST_F(kqueue_script_test, a_kernel_without_exceptions_never_tells_of_urgent_data) {
    arm(10, direction::urgent, arming::once);
    script.answers.push_back({0, {failed(event_of(10, EVFILT_EXCEPT), EINVAL)}});
    EXPECT_EQ(0, wait(1'000'000));
    EXPECT_EQ(2U, script.calls.size());
}

TEST_F(kqueue_script_test, the_longest_wait_is_one_that_every_kernel_takes) {
    EXPECT_EQ(0, wait(std::numeric_limits<std::int64_t>::max()));
    EXPECT_FALSE(script.calls[0].endless);
    EXPECT_EQ(100'000'000, script.calls[0].timeout.tv_sec);
    EXPECT_GT(1'000'000'000, script.calls[0].timeout.tv_nsec);
    EXPECT_EQ(0, wait(1'500'000'000));
    EXPECT_EQ(1, script.calls[1].timeout.tv_sec);
    EXPECT_EQ(500'000'000, script.calls[1].timeout.tv_nsec);
}

TEST_F(kqueue_script_test, a_wake_is_a_trigger_and_ends_the_wait_with_the_events_beside_it) {
    expect_change(set_up_changes_.at(0), 0, EVFILT_USER, EV_ADD | EV_CLEAR);
    poller_->wake();
    expect_change(script.single_changes.at(0), 0, EVFILT_USER, 0);
    EXPECT_EQ(NOTE_TRIGGER, static_cast<int>(script.single_changes.at(0).fflags));
    script.answers.push_back({0, {event_of(0, EVFILT_USER)}});
    EXPECT_EQ(0, wait(no_timeout));
    EXPECT_EQ(1U, script.calls.size());
    arm(10, direction::read, arming::once);
    script.answers.push_back({0, {event_of(0, EVFILT_USER), event_of(10, EVFILT_READ)}});
    EXPECT_EQ(1, wait(no_timeout));
}

TEST_F(kqueue_script_test, a_kernel_without_user_events_is_woken_by_a_pipe) {
    set_up(/*knows_user_events=*/false);
    ASSERT_EQ(2U, set_up_changes_.size());
    const int pipe = static_cast<int>(set_up_changes_[1].ident);
    expect_change(set_up_changes_[1], pipe, EVFILT_READ, EV_ADD | EV_CLEAR);
    pollfd look{.fd = pipe, .events = POLLIN, .revents = 0};
    EXPECT_EQ(0, ::poll(&look, 1, 0));
    poller_->wake();
    poller_->wake();
    EXPECT_EQ(1, ::poll(&look, 1, 0));
    EXPECT_TRUE(script.single_changes.empty());
    script.answers.push_back({0, {event_of(pipe, EVFILT_READ)}});
    EXPECT_EQ(0, wait(no_timeout));
    EXPECT_EQ(0, ::poll(&look, 1, 0));
}

TEST_F(kqueue_script_test, an_abandoned_kqueue_is_not_closed_for_the_child_has_none) {
    const int number = poller_->native();
    poller_->abandon();
    EXPECT_EQ(-1, poller_->native());
    poller_.reset();
    EXPECT_EQ(0, ::close(number));
}

}  // namespace
}  // namespace ioring::backends::readiness
