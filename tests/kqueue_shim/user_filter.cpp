// SPDX-License-Identifier: MIT
// user_filter.cpp - the EVFILT_USER knotes of a kqueue.
#include "user_filter.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "real_close.hpp"

namespace ioring::kqueue_shim {
namespace {

std::uint32_t combined(std::uint32_t old, std::uint32_t wanted) {
    const std::uint32_t bits = wanted & NOTE_FFLAGSMASK;
    switch (wanted & NOTE_FFCTRLMASK) {
        case NOTE_FFAND: return old & bits;
        case NOTE_FFOR: return old | bits;
        case NOTE_FFCOPY: return bits;
        default: return old;
    }
}

}  // namespace

user_filter::~user_filter() { real_close(eventfd_); }

void user_filter::publish() const {
    const bool ready = std::any_of(knotes_.begin(), knotes_.end(), [](const user_knote& each) {
        return each.triggered && each.note.enabled;
    });
    std::uint64_t count = 1;
    // Neither blocks: the eventfd holds more triggers than there will be, and 0 is EAGAIN.
    [[maybe_unused]] const auto moved =
        ready ? ::write(eventfd_, &count, sizeof(count)) : ::read(eventfd_, &count, sizeof(count));
}

int user_filter::change(const struct kevent& change) {
    const auto found = std::find_if(knotes_.begin(), knotes_.end(), [&](const user_knote& each) {
        return each.note.ident == change.ident;
    });
    const bool exists = found != knotes_.end();
    if (const int error = refuse(change, exists)) return error;
    if ((change.flags & EV_DELETE) != 0) {
        if (!exists) return ENOENT;
        knotes_.erase(found);
        publish();
        return 0;
    }
    user_knote& one = exists ? *found : knotes_.emplace_back();
    update(one.note, change, exists);
    // NOTE_TRIGGER alone leaves the program's own as they are.
    one.note.fflags = combined(one.note.fflags, change.fflags);
    one.note.data = change.data;
    if ((change.fflags & NOTE_TRIGGER) != 0) one.triggered = true;
    publish();
    return 0;
}

int user_filter::collect(struct kevent* events, int room) {
    int filled = 0;
    for (std::size_t index = 0; index < knotes_.size() && filled < room;) {
        user_knote& one = knotes_[index++];
        if (!one.triggered || !one.note.enabled) continue;
        struct kevent& event = events[filled++] = event_of(one.note, EVFILT_USER);
        event.fflags = one.note.fflags;
        event.data = one.note.data;
        if ((one.note.flags & EV_ONESHOT) != 0) {
            --index;
            knotes_.erase(knotes_.begin() + static_cast<std::ptrdiff_t>(index));
            continue;
        }
        if ((one.note.flags & EV_DISPATCH) != 0) one.note.enabled = false;
        if ((one.note.flags & EV_CLEAR) != 0) {
            one.triggered = false;
            one.note.fflags = 0;
            one.note.data = 0;
        }
    }
    if (filled != 0) publish();
    return filled;
}

}  // namespace ioring::kqueue_shim
