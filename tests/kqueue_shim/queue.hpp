// SPDX-License-Identifier: MIT
// queue.hpp - one kqueue: its filters, each within the epoll whose descriptor is the kqueue's.
#pragma once

#include <sys/event.h>

#include <memory>

#include "descriptor_filter.hpp"
#include "timer_filter.hpp"
#include "user_filter.hpp"

namespace ioring::kqueue_shim {

class queue {
public:
    // Makes `out` a kqueue. 0 or an errno.
    static int create(std::shared_ptr<queue>& out);

    // The epoll that is readable when there may be an event. The caller of create() closes it.
    [[nodiscard]] int descriptor() const { return epoll_; }

    // Applies one change. 0 or an errno.
    int change(const struct kevent& change);
    // Writes at most `room` events and returns how many.
    int collect(struct kevent* events, int room);
    // `fd` is about to be closed.
    void forget(int fd);

private:
    struct descriptors {
        int epoll, read, write, except, user;
    };
    explicit queue(const descriptors& from);

    int epoll_;
    descriptor_filter read_;
    descriptor_filter write_;
    descriptor_filter except_;
    user_filter user_;
    timer_filter timer_;
    unsigned first_ = 0;  // Whose turn it is, so that no filter starves another.
};

}  // namespace ioring::kqueue_shim
