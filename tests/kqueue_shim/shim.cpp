// SPDX-License-Identifier: MIT
// shim.cpp - kqueue(), kevent() and the close() that makes a descriptor's knotes go with it.
#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <sys/event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "exclusive.hpp"
#include "queue.hpp"
#include "real_close.hpp"

namespace ioring::kqueue_shim {
namespace {

using clock = std::chrono::steady_clock;

// Never destroyed: descriptors are closed until the process is gone.
std::vector<std::shared_ptr<queue>>& queues() {
    static auto& all = *new std::vector<std::shared_ptr<queue>>;
    return all;
}

auto position_of(int kq) {
    return std::find_if(queues().begin(), queues().end(),
                        [kq](const auto& each) { return each->descriptor() == kq; });
}

std::shared_ptr<queue> find(int kq) {
    const exclusive hold;
    const auto found = position_of(kq);
    return found == queues().end() ? nullptr : *found;
}

int failed(int error) {
    errno = error;
    return -1;
}

// Applies the changes. Returns how many of `events` it has filled with errors and receipts, or -1;
// what is behind an error that finds no room is dropped, without an error when that was a receipt,
// and `done` says that kevent() is over.
int apply(queue& to, const struct kevent* changes, int count, struct kevent* events, int room,
          bool& done) {
    const exclusive hold;
    int filled = 0;
    for (int index = 0; index < count && !done; ++index) {
        struct kevent change = changes[index];  // A copy: `events` may be the same array.
        const int error = to.change(change);
        if (error == 0 && (change.flags & EV_RECEIPT) == 0) continue;
        if (filled == room) {
            done = true;
            return error == 0 ? 0 : failed(error);
        }
        change.flags = EV_ERROR;
        change.data = error;
        events[filled++] = change;
    }
    done = filled != 0;
    return filled;
}

// What is left until `deadline`, or nothing when it has passed.
std::optional<timespec> time_left(clock::time_point deadline) {
    const std::chrono::nanoseconds left = deadline - clock::now();
    if (left.count() <= 0) return std::nullopt;
    return timespec{.tv_sec = left.count() / 1'000'000'000,
                    .tv_nsec = left.count() % 1'000'000'000};
}

// Waits until `from` may have an event: 1; 0 when the time is over, -1 for a signal.
int sleep(const queue& from, const std::optional<clock::time_point>& deadline) {
    std::optional<timespec> left;
    if (deadline) {
        left = time_left(*deadline);
        if (!left) return 0;
    }
    pollfd entry{};
    entry.fd = from.descriptor();
    entry.events = POLLIN;
    return ::ppoll(&entry, 1, left ? &*left : nullptr, nullptr);
}

int scan(queue& from, struct kevent* events, int room, const timespec* timeout) {
    std::optional<clock::time_point> deadline;
    if (timeout != nullptr) {
        const auto nanoseconds = timeout->tv_nsec;
        if (timeout->tv_sec < 0 || nanoseconds < 0 || nanoseconds >= 1'000'000'000) {
            return failed(EINVAL);
        }
        // A year is for ever, and the clock cannot count all that a timespec can.
        const auto seconds = std::min<std::int64_t>(timeout->tv_sec, 365L * 24 * 60 * 60);
        deadline =
            clock::now() + std::chrono::seconds{seconds} + std::chrono::nanoseconds{nanoseconds};
    }
    for (;;) {
        {
            const exclusive hold;
            const int filled = from.collect(events, room);
            if (filled != 0) return filled;
        }
        const int ready = sleep(from, deadline);
        if (ready <= 0) return ready;
    }
}

// In a child: a kqueue is not inherited.
void give_back_after_fork() {
    for (const auto& each : queues()) real_close(each->descriptor());
    queues().clear();
}

// Nobody is inside the shim while the process forks, or the child would never get in.
std::optional<exclusive>& held_for_fork() {
    static std::optional<exclusive> held;
    return held;
}

[[gnu::constructor]] void watch_forks() {
    ::pthread_atfork([] { held_for_fork().emplace(); }, [] { held_for_fork().reset(); },
                     [] {
                         give_back_after_fork();
                         held_for_fork().reset();
                     });
}

}  // namespace

int real_close(int fd) {
    using function = int (*)(int);
    static const auto next = reinterpret_cast<function>(::dlsym(RTLD_NEXT, "close"));
    return next != nullptr ? next(fd) : static_cast<int>(::syscall(SYS_close, fd));
}

}  // namespace ioring::kqueue_shim

using namespace ioring::kqueue_shim;

extern "C" int kqueue(void) {
    std::shared_ptr<queue> made;
    const exclusive hold;
    if (const int error = queue::create(made)) return failed(error);
    // One that was closed where close() below does not see it.
    const auto stale = position_of(made->descriptor());
    if (stale != queues().end()) queues().erase(stale);
    const int descriptor = made->descriptor();
    queues().push_back(std::move(made));
    return descriptor;
}

extern "C" int kevent(int kq, const struct kevent* changelist, int nchanges,
                      struct kevent* eventlist, int nevents, const timespec* timeout) {
    const std::shared_ptr<queue> on = find(kq);
    if (on == nullptr) return failed(EBADF);
    if (nchanges < 0 || nevents < 0) return failed(EINVAL);
    bool done = false;
    const int filled = apply(*on, changelist, nchanges, eventlist, nevents, done);
    if (done || nevents == 0) return filled;
    return scan(*on, eventlist, nevents, timeout);
}

extern "C" int close(int fd) {
    {
        const exclusive hold;
        const auto found = position_of(fd);
        if (found != queues().end()) {
            // The number may be another's as soon as it is closed.
            const std::shared_ptr<queue> keep = *found;
            queues().erase(found);
            return real_close(fd);
        }
        for (const auto& each : queues()) each->forget(fd);
    }
    return real_close(fd);
}
