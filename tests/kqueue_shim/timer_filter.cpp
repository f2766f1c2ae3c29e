// SPDX-License-Identifier: MIT
// timer_filter.cpp - the EVFILT_TIMER knotes of a kqueue.
#include "timer_filter.hpp"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "real_close.hpp"

namespace ioring::kqueue_shim {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

std::int64_t unit_ns(std::uint32_t fflags) {
    if ((fflags & NOTE_SECONDS) != 0) return second_ns;
    if ((fflags & NOTE_USECONDS) != 0) return 1'000;
    if ((fflags & NOTE_NSECONDS) != 0) return 1;
    return 1'000'000;
}

timespec as_timespec(std::int64_t time_ns) {
    return {.tv_sec = time_ns / second_ns, .tv_nsec = time_ns % second_ns};
}

}  // namespace

timer_filter::~timer_filter() {
    for (const timer_knote& each : knotes_) real_close(each.timerfd);
}

int timer_filter::start(timer_knote& one, const struct kevent& change) {
    std::int64_t time_ns = 0;
    if (change.data < 0 ||
        __builtin_mul_overflow(std::int64_t{change.data}, unit_ns(change.fflags), &time_ns)) {
        return EINVAL;
    }
    const bool absolute = (change.fflags & NOTE_ABSOLUTE) != 0;
    if (one.timerfd < 0) {
        one.timerfd = ::timerfd_create(absolute ? CLOCK_REALTIME : CLOCK_MONOTONIC,
                                       TFD_CLOEXEC | TFD_NONBLOCK);
        if (one.timerfd < 0) return errno;
        epoll_event event{};
        event.events = EPOLLIN;
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, one.timerfd, &event) != 0) return errno;
    }
    itimerspec when{};
    when.it_value = as_timespec(std::max<std::int64_t>(time_ns, 1));  // 0 would stop it.
    if (!absolute && (one.note.flags & EV_ONESHOT) == 0) when.it_interval = when.it_value;
    one.expirations = 0;
    const int flags = absolute ? TFD_TIMER_ABSTIME : 0;
    return ::timerfd_settime(one.timerfd, flags, &when, nullptr) == 0 ? 0 : errno;
}

int timer_filter::change(const struct kevent& change) {
    auto found = std::find_if(knotes_.begin(), knotes_.end(), [&](const timer_knote& each) {
        return each.note.ident == change.ident;
    });
    const bool exists = found != knotes_.end();
    if (const int error = refuse(change, exists)) return error;
    int error = 0;
    if ((change.flags & EV_DELETE) == 0) {
        if (!exists) found = knotes_.emplace(knotes_.end());
        update(found->note, change, exists);
        if ((change.flags & EV_ADD) != 0) error = start(*found, change);
        if (error == 0) return 0;
    } else if (!exists) {
        return ENOENT;
    }
    if (found->timerfd >= 0) real_close(found->timerfd);
    knotes_.erase(found);
    return error;
}

int timer_filter::collect(struct kevent* events, int room) {
    int filled = 0;
    for (std::size_t index = 0; index < knotes_.size() && filled < room; ++index) {
        timer_knote& one = knotes_[index];
        std::uint64_t expirations = 0;
        // Also of a disabled one, or the epoll would stay readable.
        if (::read(one.timerfd, &expirations, sizeof(expirations)) > 0) {
            one.expirations += expirations;
        }
        if (one.expirations == 0 || !one.note.enabled) continue;
        events[filled] = event_of(one.note, EVFILT_TIMER);
        events[filled++].data = static_cast<std::intptr_t>(one.expirations);
        one.expirations = 0;
        if ((one.note.flags & EV_DISPATCH) != 0) one.note.enabled = false;
        if ((one.note.flags & EV_ONESHOT) != 0) {
            real_close(one.timerfd);
            knotes_.erase(knotes_.begin() + static_cast<std::ptrdiff_t>(index--));
        }
    }
    return filled;
}

}  // namespace ioring::kqueue_shim
