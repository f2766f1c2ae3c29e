// SPDX-License-Identifier: MIT
// user_filter.hpp - the EVFILT_USER knotes of a kqueue: an eventfd that says there is a triggered
// one.
#pragma once

#include <sys/event.h>

#include <vector>

#include "knote.hpp"

namespace ioring::kqueue_shim {

class user_filter {
public:
    // Takes `eventfd` over.
    explicit user_filter(int eventfd) : eventfd_{eventfd} {}
    user_filter(const user_filter&) = delete;
    user_filter& operator=(const user_filter&) = delete;
    ~user_filter();

    // 0 or an errno. Allocates for a new knote only, so that signal handlers may trigger.
    int change(const struct kevent& change);
    // Writes at most `room` events and returns how many.
    int collect(struct kevent* events, int room);

private:
    struct user_knote {
        knote note;
        bool triggered = false;
    };

    // Makes the eventfd say whether one is triggered.
    void publish() const;

    int eventfd_;
    std::vector<user_knote> knotes_;
};

}  // namespace ioring::kqueue_shim
