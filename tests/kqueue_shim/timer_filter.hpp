// SPDX-License-Identifier: MIT
// timer_filter.hpp - the EVFILT_TIMER knotes of a kqueue: a timerfd each, within its epoll.
#pragma once

#include <sys/event.h>

#include <cstdint>
#include <vector>

#include "knote.hpp"

namespace ioring::kqueue_shim {

class timer_filter {
public:
    // `epoll`, which stays the caller's, becomes readable when a timer is over.
    explicit timer_filter(int epoll) : epoll_{epoll} {}
    timer_filter(const timer_filter&) = delete;
    timer_filter& operator=(const timer_filter&) = delete;
    ~timer_filter();

    // 0 or an errno.
    int change(const struct kevent& change);
    // Writes at most `room` events and returns how many.
    int collect(struct kevent* events, int room);

private:
    struct timer_knote {
        knote note;
        int timerfd = -1;
        std::uint64_t expirations = 0;  // That no event has told.
    };

    int start(timer_knote& one, const struct kevent& change);

    int epoll_;
    std::vector<timer_knote> knotes_;
};

}  // namespace ioring::kqueue_shim
