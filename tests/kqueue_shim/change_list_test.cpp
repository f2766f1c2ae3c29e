// SPDX-License-Identifier: MIT
// change_list_test.cpp - how kevent() applies changes and tells which of them failed.
#include "kqueue_test_support.hpp"

namespace ioring::kqueue_test {
namespace {

class change_list_test : public kqueue_test {
protected:
    connection pair_ = connected();
    // A number that is no open descriptor.
    static std::uintptr_t closed_number() {
        const descriptor_owner gone{::dup(0)};
        return static_cast<std::uintptr_t>(gone.get());
    }
};

TEST_F(change_list_test, changes_are_applied_before_events_are_collected) {
    send_text(pair_.theirs, "x");
    ASSERT_EQ(2, call({change_of(pair_.ours, EVFILT_READ, EV_ADD, 7),
                       change_of(pair_.ours, EVFILT_WRITE, EV_ADD, 8)},
                      2, patience));
    EXPECT_EQ(15U, udata_of(events_[0]) + udata_of(events_[1]));
}

TEST_F(change_list_test, a_later_change_undoes_an_earlier_one) {
    send_text(pair_.theirs, "x");
    EXPECT_EQ(0, call({change_of(pair_.ours, EVFILT_READ, EV_ADD),
                       change_of(pair_.ours, EVFILT_READ, EV_DELETE)},
                      2, milliseconds{0}));
}

TEST_F(change_list_test, one_array_is_input_and_output) {
    send_text(pair_.theirs, "x");
    std::array<struct kevent, 2> both{change_of(closed_number(), EVFILT_READ, EV_ADD, 0, 0, 5),
                                      change_of(pair_.ours, EVFILT_READ, EV_ADD, 6)};
    ASSERT_EQ(1, ::kevent(kq_.get(), both.data(), 2, both.data(), 2, nullptr));
    EXPECT_NE(0, both[0].flags & EV_ERROR);
    EXPECT_EQ(EBADF, both[0].data);
    ASSERT_EQ(1, ::kevent(kq_.get(), nullptr, 0, both.data(), 2, nullptr));
    EXPECT_EQ(6U, udata_of(both[0]));
}

TEST_F(change_list_test, a_change_that_fails_is_an_entry_and_the_others_are_applied) {
    send_text(pair_.theirs, "x");
    const std::uintptr_t closed = closed_number();
    // At once, although nothing is ready but by the second change and the wait is long.
    ASSERT_EQ(1, call({change_of(closed, EVFILT_WRITE, EV_ADD, 0, 0, 99),
                       change_of(pair_.ours, EVFILT_READ, EV_ADD, 7)},
                      8, patience));
    EXPECT_NE(0, events_[0].flags & EV_ERROR);
    EXPECT_EQ(EBADF, events_[0].data);
    EXPECT_EQ(closed, events_[0].ident);
    EXPECT_EQ(EVFILT_WRITE, events_[0].filter);
    EXPECT_EQ(99U, udata_of(events_[0]));
    EXPECT_EQ(7U, udata_of(next_one()));
}

TEST_F(change_list_test, a_failure_ends_the_call_without_a_wait) {
    const auto before = std::chrono::steady_clock::now();
    ASSERT_EQ(1, call({change_of(pair_.ours, EVFILT_READ, EV_DELETE)}, 4, patience));
    EXPECT_EQ(ENOENT, events_[0].data);
    EXPECT_GT(patience / 2, std::chrono::steady_clock::now() - before);
}

TEST_F(change_list_test, without_room_for_the_failure_the_rest_is_dropped) {
    send_text(pair_.theirs, "x");
    ASSERT_EQ(-1, call({change_of(pair_.ours, EVFILT_WRITE, EV_ADD, 1),
                        change_of(closed_number(), EVFILT_READ, EV_ADD),
                        change_of(pair_.ours, EVFILT_READ, EV_ADD, 2)},
                       0, milliseconds{0}));
    EXPECT_EQ(EBADF, errno);
    EXPECT_EQ(1U, udata_of(next_one()));
}

TEST_F(change_list_test, a_receipt_is_an_entry_without_an_error) {
    send_text(pair_.theirs, "x");
    ASSERT_EQ(2, call({change_of(pair_.ours, EVFILT_READ, EV_ADD | EV_RECEIPT, 1),
                       change_of(pair_.ours, EVFILT_WRITE, EV_ADD | EV_RECEIPT, 2)},
                      4, patience));
    for (const struct kevent& each : events_) {
        EXPECT_NE(0, each.flags & EV_ERROR);
        EXPECT_EQ(0, each.data);
    }
    EXPECT_EQ(2U, ready());
}

// Measured on NetBSD and read in FreeBSD: the reason to leave EV_RECEIPT alone.
TEST_F(change_list_test, a_receipt_without_room_drops_the_rest_in_silence) {
    EXPECT_EQ(0, call({change_of(pair_.ours, EVFILT_WRITE, EV_ADD | EV_RECEIPT, 1),
                       change_of(pair_.theirs, EVFILT_WRITE, EV_ADD | EV_RECEIPT, 2)},
                      0, patience));
    EXPECT_EQ(1U, udata_of(next_one()));
}

TEST_F(change_list_test, what_there_is_not_is_enoent_and_a_closed_number_ebadf) {
    EXPECT_EQ(ENOENT, error_of(change_of(pair_.ours, EVFILT_READ, EV_DELETE)));
    EXPECT_EQ(ENOENT, error_of(change_of(pair_.ours, EVFILT_READ, EV_ENABLE)));
    EXPECT_EQ(ENOENT, error_of(change_of(pair_.ours, EVFILT_READ, EV_DISABLE)));
    EXPECT_EQ(ENOENT, error_of(change_of(std::uintptr_t{1}, EVFILT_TIMER, EV_DELETE)));
    EXPECT_EQ(EBADF, error_of(change_of(closed_number(), EVFILT_READ, EV_ADD)));
    EXPECT_EQ(EBADF, error_of(change_of(closed_number(), EVFILT_READ, EV_DELETE)));
    EXPECT_EQ(EINVAL, error_of(change_of(pair_.ours, /*filter=*/-99, EV_ADD)));
}

TEST_F(change_list_test, what_is_no_kqueue_is_ebadf) {
    const descriptor_owner gone = std::move(kq_);
    const int number = ::dup(0);
    ::close(number);
    EXPECT_EQ(-1, ::kevent(number, nullptr, 0, nullptr, 0, nullptr));
    EXPECT_EQ(EBADF, errno);
    EXPECT_EQ(-1, ::kevent(pair_.ours.get(), nullptr, 0, nullptr, 0, nullptr));
    EXPECT_EQ(EBADF, errno);
}

}  // namespace
}  // namespace ioring::kqueue_test
