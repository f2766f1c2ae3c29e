// SPDX-License-Identifier: MIT
// queue.cpp - one kqueue: its filters, each within the epoll whose descriptor is the kqueue's.
#include "queue.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>

#include "real_close.hpp"

namespace ioring::kqueue_shim {
namespace {

constexpr unsigned filters = 5;

int opened(int index) {
    // kqueue() does not close on exec; what only the shim knows of does.
    if (index == 0) return ::epoll_create1(0);
    if (index == 4) return ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return ::epoll_create1(EPOLL_CLOEXEC);
}

}  // namespace

int queue::create(std::shared_ptr<queue>& out) {
    std::array<int, 5> made{-1, -1, -1, -1, -1};
    int error = 0;
    for (std::size_t index = 0; index < made.size() && error == 0; ++index) {
        made[index] = opened(static_cast<int>(index));
        if (made[index] < 0) error = errno;
        epoll_event event{};
        event.events = EPOLLIN;
        if (error == 0 && index > 0 &&
            ::epoll_ctl(made[0], EPOLL_CTL_ADD, made[index], &event) != 0) {
            error = errno;
        }
    }
    if (error == 0) {
        out.reset(new queue{{made[0], made[1], made[2], made[3], made[4]}});
        return 0;
    }
    for (const int descriptor : made) {
        if (descriptor >= 0) real_close(descriptor);
    }
    return error;
}

queue::queue(const descriptors& from)
    : epoll_{from.epoll},
      read_{EVFILT_READ, from.read},
      write_{EVFILT_WRITE, from.write},
      except_{EVFILT_EXCEPT, from.except},
      user_{from.user},
      timer_{from.epoll} {}

int queue::change(const struct kevent& change) {
    switch (change.filter) {
        case EVFILT_READ: return read_.change(change);
        case EVFILT_WRITE: return write_.change(change);
        case EVFILT_EXCEPT: return except_.change(change);
        case EVFILT_USER: return user_.change(change);
        case EVFILT_TIMER: return timer_.change(change);
        default: return EINVAL;
    }
}

int queue::collect(struct kevent* events, int room) {
    int filled = 0;
    const unsigned first = first_++;
    for (unsigned turn = 0; turn < filters && filled < room; ++turn) {
        struct kevent* const next = events + filled;
        switch ((first + turn) % filters) {
            case 0: filled += read_.collect(next, room - filled); break;
            case 1: filled += write_.collect(next, room - filled); break;
            case 2: filled += except_.collect(next, room - filled); break;
            case 3: filled += user_.collect(next, room - filled); break;
            default: filled += timer_.collect(next, room - filled); break;
        }
    }
    return filled;
}

void queue::forget(int fd) {
    read_.forget(fd);
    write_.forget(fd);
    except_.forget(fd);
}

}  // namespace ioring::kqueue_shim
