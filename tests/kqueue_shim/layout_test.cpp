// SPDX-License-Identifier: MIT
// layout_test.cpp - <sys/event.h> has Darwin's layout and numbers, by this one's or by Apple's.
#include <gtest/gtest.h>
#include <sys/event.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace ioring::kqueue_test {
namespace {

static_assert(sizeof(struct kevent) == 32 && alignof(struct kevent) == 4);
static_assert(offsetof(struct kevent, ident) == 0);
static_assert(offsetof(struct kevent, filter) == 8);
static_assert(offsetof(struct kevent, flags) == 10);
static_assert(offsetof(struct kevent, fflags) == 12);
static_assert(offsetof(struct kevent, data) == 16);
static_assert(offsetof(struct kevent, udata) == 24);
static_assert(std::is_same_v<decltype(kevent::ident), std::uintptr_t>);
static_assert(std::is_same_v<decltype(kevent::filter), std::int16_t>);
static_assert(std::is_same_v<decltype(kevent::flags), std::uint16_t>);
static_assert(std::is_same_v<decltype(kevent::fflags), std::uint32_t>);
static_assert(std::is_same_v<decltype(kevent::data), std::intptr_t>);
static_assert(std::is_same_v<decltype(kevent::udata), void*>);

static_assert(EVFILT_READ == -1 && EVFILT_WRITE == -2 && EVFILT_AIO == -3 && EVFILT_VNODE == -4);
static_assert(EVFILT_PROC == -5 && EVFILT_SIGNAL == -6 && EVFILT_TIMER == -7);
static_assert(EVFILT_USER == -10 && EVFILT_EXCEPT == -15);

static_assert(EV_ADD == 0x1 && EV_DELETE == 0x2 && EV_ENABLE == 0x4 && EV_DISABLE == 0x8);
static_assert(EV_ONESHOT == 0x10 && EV_CLEAR == 0x20 && EV_RECEIPT == 0x40 && EV_DISPATCH == 0x80);
static_assert(EV_ERROR == 0x4000 && EV_EOF == 0x8000 && EV_SYSFLAGS == 0xf000);
static_assert(EV_FLAG0 == 0x1000 && EV_FLAG1 == 0x2000 && EV_OOBAND == EV_FLAG1);

static_assert(NOTE_TRIGGER == 0x01000000 && NOTE_FFNOP == 0 && NOTE_FFAND == 0x40000000);
static_assert(NOTE_FFOR == 0x80000000 && NOTE_FFCOPY == 0xc0000000);
static_assert(NOTE_FFCTRLMASK == 0xc0000000 && NOTE_FFLAGSMASK == 0x00ffffff);
static_assert(NOTE_LOWAT == 1 && NOTE_OOB == 2);
static_assert(NOTE_SECONDS == 1 && NOTE_USECONDS == 2 && NOTE_NSECONDS == 4);
static_assert(NOTE_ABSOLUTE == 8 && NOTE_LEEWAY == 0x10 && NOTE_CRITICAL == 0x20);
static_assert(NOTE_BACKGROUND == 0x40);

TEST(layout_test, ev_set_fills_every_field) {
    int mine = 0;
    struct kevent event {};
    EV_SET(&event, 1, -2, 3, 4, 5, &mine);
    EXPECT_EQ(1U, event.ident);
    EXPECT_EQ(-2, event.filter);
    EXPECT_EQ(3U, event.flags);
    EXPECT_EQ(4U, event.fflags);
    EXPECT_EQ(5, event.data);
    EXPECT_EQ(&mine, event.udata);
}

}  // namespace
}  // namespace ioring::kqueue_test
