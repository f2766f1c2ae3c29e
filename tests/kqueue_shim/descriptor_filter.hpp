// SPDX-License-Identifier: MIT
// descriptor_filter.hpp - the knotes of one filter on descriptors: an epoll within the kqueue's.
//
// Each filter has an epoll of its own, or one knote could not be armed without the other. They are
// edge-triggered: that is EV_CLEAR, and the others are evaluated anew where BSD does (EV_ADD,
// EV_ENABLE, after an event that stays).
#pragma once

#include <sys/event.h>

#include <cstdint>
#include <vector>

#include "knote.hpp"

namespace ioring::kqueue_shim {

class descriptor_filter {
public:
    // Takes `epoll` over. `filter` is EVFILT_READ, EVFILT_WRITE or EVFILT_EXCEPT.
    descriptor_filter(std::int16_t filter, int epoll) : filter_{filter}, epoll_{epoll} {}
    descriptor_filter(const descriptor_filter&) = delete;
    descriptor_filter& operator=(const descriptor_filter&) = delete;
    ~descriptor_filter();

    // 0 or an errno.
    int change(const struct kevent& change);
    // Writes at most `room` events, at least 1, and returns how many.
    int collect(struct kevent* events, int room);
    // `fd` is about to be closed.
    void forget(int fd);

private:
    struct slot {
        bool exists = false;
        bool listener = false;  // When the knote was added.
        knote note;
    };

    [[nodiscard]] int set(int operation, const knote& note) const;
    void remove(slot& one);
    slot& slot_of(int fd);

    std::int16_t filter_;
    int epoll_;
    std::vector<slot> slots_;  // By descriptor.
};

}  // namespace ioring::kqueue_shim
