// SPDX-License-Identifier: MIT
// knote_test.cpp - what a knote is: one per descriptor and filter, with the flags of its creation.
#include "kqueue_test_support.hpp"

namespace ioring::kqueue_test {
namespace {

class knote_test : public kqueue_test {
protected:
    void read_all() {
        std::array<char, 256> bytes{};
        while (::recv(pair_.ours.get(), bytes.data(), bytes.size(), 0) > 0) {
        }
    }
    connection pair_ = connected();
};

TEST_F(knote_test, without_flags_is_an_event_as_long_as_the_condition_holds) {
    apply({change_of(pair_.ours, EVFILT_READ, EV_ADD)});
    EXPECT_EQ(0U, ready());
    send_text(pair_.theirs, "abc");
    EXPECT_EQ(3, next_one().data);
    EXPECT_EQ(3, next_one().data);
    read_all();
    EXPECT_EQ(0U, ready());
}

TEST_F(knote_test, one_shot_is_one_event_and_then_gone) {
    apply({change_of(pair_.ours, EVFILT_READ, EV_ADD | EV_ONESHOT)});
    send_text(pair_.theirs, "abc");
    EXPECT_EQ(3, next_one().data);
    EXPECT_EQ(0U, ready());
    EXPECT_EQ(ENOENT, error_of(change_of(pair_.ours, EVFILT_READ, EV_DELETE)));
}

TEST_F(knote_test, clear_is_an_event_each_time_that_bytes_come) {
    apply({change_of(pair_.ours, EVFILT_READ, EV_ADD | EV_CLEAR)});
    send_text(pair_.theirs, "abc");
    EXPECT_EQ(3, next_one().data);
    EXPECT_EQ(0U, ready());
    send_text(pair_.theirs, "de");
    EXPECT_EQ(5, next_one().data);
    EXPECT_EQ(0U, ready());
}

TEST_F(knote_test, dispatch_is_one_event_and_then_disabled) {
    apply({change_of(pair_.ours, EVFILT_READ, EV_ADD | EV_DISPATCH)});
    send_text(pair_.theirs, "abc");
    EXPECT_EQ(3, next_one().data);
    EXPECT_EQ(0U, ready());
    send_text(pair_.theirs, "d");
    EXPECT_TRUE(silent());
    apply({change_of(pair_.ours, EVFILT_READ, EV_ADD | EV_ENABLE | EV_DISPATCH)});
    EXPECT_EQ(4, next_one().data);
}

TEST_F(knote_test, adding_again_does_not_enable) {
    apply({change_of(pair_.ours, EVFILT_READ, EV_ADD | EV_DISPATCH)});
    send_text(pair_.theirs, "abc");
    EXPECT_EQ(3, next_one().data);
    apply({change_of(pair_.ours, EVFILT_READ, EV_ADD | EV_DISPATCH)});
    EXPECT_TRUE(silent());
    apply({change_of(pair_.ours, EVFILT_READ, EV_ADD | EV_DISABLE)});
    EXPECT_TRUE(silent());
}

TEST_F(knote_test, adding_again_evaluates_the_condition_anew) {
    apply({change_of(pair_.ours, EVFILT_READ, EV_ADD | EV_CLEAR)});
    send_text(pair_.theirs, "abc");
    EXPECT_EQ(3, next_one().data);
    EXPECT_EQ(0U, ready());
    apply({change_of(pair_.ours, EVFILT_READ, EV_ADD | EV_CLEAR)});
    EXPECT_EQ(3, next_one().data);
}

TEST_F(knote_test, a_condition_that_holds_already_is_an_event_at_once) {
    send_text(pair_.theirs, "abc");
    for (const int how : {EV_CLEAR, EV_ONESHOT, EV_DISPATCH}) {
        apply({change_of(pair_.ours, EVFILT_READ, EV_ADD | how)});
        EXPECT_EQ(3, next_one().data);
        (void)error_of(change_of(pair_.ours, EVFILT_READ, EV_DELETE));
    }
}

TEST_F(knote_test, adding_again_replaces_udata_and_keeps_the_flags_of_creation) {
    apply({change_of(pair_.ours, EVFILT_READ, EV_ADD | EV_ONESHOT, 1),
           change_of(pair_.ours, EVFILT_READ, EV_ADD | EV_CLEAR, 2)});
    send_text(pair_.theirs, "x");
    EXPECT_EQ(2U, udata_of(next_one()));
    send_text(pair_.theirs, "y");
    EXPECT_TRUE(silent());

    apply({change_of(pair_.ours, EVFILT_READ, EV_ADD | EV_CLEAR, 3),
           change_of(pair_.ours, EVFILT_READ, EV_ADD | EV_ONESHOT, 4)});
    EXPECT_EQ(4U, udata_of(next_one()));
    send_text(pair_.theirs, "z");
    EXPECT_EQ(4U, udata_of(next_one()));
}

TEST_F(knote_test, a_deletion_in_between_makes_one_of_the_new_flags) {
    send_text(pair_.theirs, "x");
    ASSERT_EQ(1, call({change_of(pair_.ours, EVFILT_READ, EV_ADD | EV_ONESHOT, 1),
                       change_of(pair_.ours, EVFILT_READ, EV_DELETE),
                       change_of(pair_.ours, EVFILT_READ, EV_ADD | EV_CLEAR, 2)},
                      8, patience));
    send_text(pair_.theirs, "y");
    EXPECT_EQ(2U, udata_of(next_one()));
}

TEST_F(knote_test, disabled_is_silent_until_it_is_enabled) {
    apply({change_of(pair_.ours, EVFILT_READ, EV_ADD)});
    send_text(pair_.theirs, "x");
    apply({change_of(pair_.ours, EVFILT_READ, EV_DISABLE)});
    EXPECT_EQ(0U, ready());
    apply({change_of(pair_.ours, EVFILT_READ, EV_ENABLE)});
    EXPECT_EQ(1U, ready());
}

TEST_F(knote_test, reading_and_writing_are_two_knotes) {
    apply({change_of(pair_.ours, EVFILT_READ, EV_ADD | EV_ONESHOT, 1),
           change_of(pair_.ours, EVFILT_WRITE, EV_ADD | EV_ONESHOT, 2)});
    const struct kevent writable = next_one();
    EXPECT_EQ(EVFILT_WRITE, writable.filter);
    EXPECT_EQ(2U, udata_of(writable));
    EXPECT_LT(0, writable.data);
    send_text(pair_.theirs, "x");
    const struct kevent readable = next_one();
    EXPECT_EQ(EVFILT_READ, readable.filter);
    EXPECT_EQ(1U, udata_of(readable));
}

TEST_F(knote_test, more_events_than_room_are_told_in_turn) {
    std::vector<connection> many;
    event_list changes;
    for (std::uintptr_t index = 0; index < 100; ++index) {
        many.push_back(connected());
        send_text(many.back().theirs, "x");
        changes.push_back(change_of(many.back().ours, EVFILT_READ, EV_ADD, index));
    }
    std::array<int, 100> told{};
    ASSERT_LT(0, call(changes, 100, patience));
    // As long as they hold: nobody waits for ever behind the others.
    for (int round = 0; round < 30; ++round) {
        for (const struct kevent& each : events_) ++told.at(udata_of(each));
        ASSERT_EQ(10, call({}, 10, patience));
    }
    for (const int times : told) EXPECT_LT(0, times);
}

}  // namespace
}  // namespace ioring::kqueue_test
