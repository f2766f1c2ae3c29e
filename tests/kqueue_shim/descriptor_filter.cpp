// SPDX-License-Identifier: MIT
// descriptor_filter.cpp - the knotes of one filter on descriptors.
#include "descriptor_filter.hpp"

#include <fcntl.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "condition.hpp"
#include "real_close.hpp"

namespace ioring::kqueue_shim {
namespace {

// EPOLLRDHUP tells a socket that was connected from one that never was: see condition.cpp.
std::uint32_t epoll_events(std::int16_t filter) {
    switch (filter) {
        case EVFILT_READ: return EPOLLIN | EPOLLRDHUP;
        case EVFILT_WRITE: return EPOLLOUT | EPOLLRDHUP;
        default: return EPOLLPRI | EPOLLRDHUP;
    }
}

}  // namespace

descriptor_filter::~descriptor_filter() { real_close(epoll_); }

// Each call evaluates the condition anew. 0 or an errno.
int descriptor_filter::set(int operation, const knote& note) const {
    epoll_event event{};
    event.events = EPOLLET | (note.enabled ? epoll_events(filter_) : 0);
    event.data.fd = static_cast<int>(note.ident);
    return ::epoll_ctl(epoll_, operation, event.data.fd, &event) == 0 ? 0 : errno;
}

descriptor_filter::slot& descriptor_filter::slot_of(int fd) {
    const auto index = static_cast<std::size_t>(fd);
    if (index >= slots_.size()) slots_.resize(std::max(index + 1, 2 * slots_.size()));
    return slots_[index];
}

void descriptor_filter::remove(slot& one) {
    // Fails when the descriptor has been closed where close() of the shim does not see it.
    (void)set(EPOLL_CTL_DEL, one.note);
    one.exists = false;
}

int descriptor_filter::change(const struct kevent& change) {
    if (change.ident > INT_MAX) return EBADF;
    const int fd = static_cast<int>(change.ident);
    if (::fcntl(fd, F_GETFD) < 0) return EBADF;
    if ((change.fflags & NOTE_LOWAT) != 0) return EINVAL;
    slot& one = slot_of(fd);
    // The kernel has dropped it with the descriptor: this number is another's now.
    if (one.exists && set(EPOLL_CTL_MOD, one.note) == ENOENT) one.exists = false;
    if (const int error = refuse(change, one.exists)) return error;
    if ((change.flags & EV_DELETE) != 0) {
        if (!one.exists) return ENOENT;
        remove(one);
        return 0;
    }
    update(one.note, change, one.exists);
    one.note.fflags = change.fflags;
    if ((change.flags & EV_ADD) != 0) one.listener = is_listener(fd);
    int error = set(one.exists ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, one.note);
    // Of a closed descriptor whose number is back on the same file.
    if (error == EEXIST) error = set(EPOLL_CTL_MOD, one.note);
    one.exists = error == 0;
    return error;
}

int descriptor_filter::collect(struct kevent* events, int room) {
    std::array<epoll_event, 64> ready{};
    const int count =
        ::epoll_wait(epoll_, ready.data(), std::min(room, static_cast<int>(ready.size())), 0);
    int filled = 0;
    for (int index = 0; index < count; ++index) {
        const epoll_event& from = ready[static_cast<std::size_t>(index)];
        slot& one = slot_of(from.data.fd);
        // Hang-ups are told of disabled knotes too.
        if (!one.exists || !one.note.enabled) continue;
        struct kevent event = event_of(one.note, filter_);
        if (!describe(from.data.fd, one.listener, from.events, event)) continue;
        events[filled++] = event;
        if ((one.note.flags & EV_ONESHOT) != 0) {
            remove(one);
        } else if ((one.note.flags & EV_DISPATCH) != 0) {
            one.note.enabled = false;
            (void)set(EPOLL_CTL_MOD, one.note);
        } else if ((one.note.flags & EV_CLEAR) == 0) {
            (void)set(EPOLL_CTL_MOD, one.note);  // As long as it holds, it is an event.
        }
    }
    return filled;
}

void descriptor_filter::forget(int fd) {
    if (static_cast<std::size_t>(fd) >= slots_.size()) return;
    slot& one = slot_of(fd);
    if (one.exists) remove(one);
}

}  // namespace ioring::kqueue_shim
