// SPDX-License-Identifier: MIT
// poller_kqueue.cpp - batching changes, waiting, and reading what failed.
#include "backend/readiness/poller_kqueue.hpp"

#include <fcntl.h>
#include <sys/types.h>
// After <sys/types.h>, which some of them need.
#include <sys/event.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <type_traits>
#include <utility>

#include "backend/backend.hpp"
#include "platform/clock.hpp"

namespace ioring::backends::readiness {
namespace {

// Changes and events in one call, which are on its stack.
constexpr int batch_max = 64;
// macOS calls longer waits invalid. It is three years.
constexpr std::int64_t wait_seconds_max = 100'000'000;

// struct kevent has the same names everywhere and other types.
using filter_type = decltype(kevent::filter);
using flags_type = decltype(kevent::flags);
using udata_type = decltype(kevent::udata);

template <class Udata>
Udata as_udata(std::intptr_t value) noexcept {
    if constexpr (std::is_pointer_v<Udata>) {
        // NOLINTNEXTLINE(performance-no-int-to-ptr): a mark, which nobody follows.
        return reinterpret_cast<Udata>(value);
    } else {
        return static_cast<Udata>(value);  // NetBSD before 10.
    }
}

// The udata of a deletion: an EV_ERROR entry keeps it, and may have lost the flags.
constexpr std::intptr_t deletion_mark = 1;

struct kevent change_of(int ident, int filter, int flags, unsigned fflags = 0,
                        std::intptr_t mark = 0) noexcept {
    struct kevent change {};
    EV_SET(&change, static_cast<std::uintptr_t>(ident), static_cast<filter_type>(filter),
           static_cast<flags_type>(flags), fflags, 0, as_udata<udata_type>(mark));
    return change;
}

struct filter_of_direction {
    std::uint8_t direction;
    int filter;
    unsigned fflags;
};

constexpr std::array filters{
    filter_of_direction{direction::read, EVFILT_READ, 0},
    filter_of_direction{direction::write, EVFILT_WRITE, 0},
#ifdef EVFILT_EXCEPT
    filter_of_direction{direction::urgent, EVFILT_EXCEPT, NOTE_OOB},
#endif
};

// The filters of a set of directions, as a set.
std::uint8_t filters_for(std::uint8_t directions) noexcept {
    std::uint8_t found = (directions & direction::ended) != 0 ? direction::read : 0;
    for (const filter_of_direction& each : filters) found |= directions & each.direction;
    return found;
}

// Takes the lowest out of a set that is not empty.
const filter_of_direction& take_filter(std::uint8_t& set) noexcept {
    const auto index = static_cast<std::size_t>(std::countr_zero(set));
    assert(index < filters.size() && filters[index].direction == 1U << index);
    set &= static_cast<std::uint8_t>(set - 1U);
    return filters[index];
}

std::uint8_t direction_of(int filter) noexcept {
    const auto* const found = std::find_if(filters.begin(), filters.end(),
                                           [=](const auto& each) { return each.filter == filter; });
    return found == filters.end() ? std::uint8_t{0} : found->direction;
}

struct kevent deletion(std::int32_t fd, const filter_of_direction& of) noexcept {
    return change_of(fd, of.filter, EV_DELETE, 0, deletion_mark);
}

void take_away(std::uint8_t& from, std::uint8_t taken) noexcept {
    from &= static_cast<std::uint8_t>(~taken);
}

// One change, and no look at the events: with room for an error, an event might take it. 0 or an
// errno.
int apply(int kq, const struct kevent& change) noexcept {
    return ::kevent(kq, &change, 1, nullptr, 0, nullptr) == 0 ? 0 : errno;
}

}  // namespace

struct kqueue_poller::batch {
    std::array<struct kevent, batch_max> changes;
    std::array<struct kevent, batch_max> events;
    int change_count = 0;
    bool woken = false;
};

kqueue_poller::~kqueue_poller() {
    if (kq_ >= 0) ::close(kq_);
}

std::error_code kqueue_poller::set_up(std::string& why) {
    assert(kq_ < 0);
    int error = 0;
    kq_ = ::kqueue();
    if (kq_ < 0 || ::fcntl(kq_, F_SETFD, FD_CLOEXEC) != 0) error = errno;
    if (error == 0) error = set_up_wake();
    const std::error_code code{error, std::generic_category()};
    if (code) why = "kqueue is refused: " + code.message();
    return code;
}

int kqueue_poller::set_up_wake() noexcept {
#ifdef EVFILT_USER
    // The header may know it, and the kernel not.
    if (apply(kq_, change_of(0, EVFILT_USER, EV_ADD | EV_CLEAR)) == 0) return 0;
#endif
    if (const std::error_code error = platform::wake_handle::create_pipe(pipe_)) {
        return error.value();
    }
    return apply(kq_, change_of(pipe_.native(), EVFILT_READ, EV_ADD | EV_CLEAR));
}

kqueue_poller::descriptor_state& kqueue_poller::state_of(std::int32_t fd) noexcept {
    return states_[static_cast<std::size_t>(fd)];
}

void kqueue_poller::list(std::int32_t fd) noexcept {
    if (std::exchange(state_of(fd).listed, true)) return;
    (last_ != 0 ? state_of(last_ - 1).next : first_) = fd + 1;
    last_ = fd + 1;
}

void kqueue_poller::arm(std::int32_t fd, std::uint8_t directions, arming how) noexcept {
    assert(fd >= 0);
    // Errors and hang-ups are ends of the stream, too.
    if (directions == 0) directions = direction::ended;
    const bool is_edge = how == arming::edge;
    const std::uint8_t wanted = filters_for(directions);
    const std::uint8_t standing = filters_for(is_edge ? directions : directions & direction::ended);
    descriptor_state& state = state_of(fd);
    state.armed |= directions;
    if (is_edge) state.edge |= directions;
    state.remove |= static_cast<std::uint8_t>(standing & state.knotes & ~state.clear);
    // A standing knote that tells of bytes will tell of the end. Adding it again would tell of
    // bytes that are there already, and whoever arms after each event would never rest.
    std::uint8_t more = directions;
    take_away(more, direction::ended);
    std::uint8_t stands = state.knotes & state.clear & state.edge;
    take_away(stands, filters_for(more));
    state.clear |= standing;
    state.add |= static_cast<std::uint8_t>(wanted & ~stands);
    list(fd);
}

void kqueue_poller::forget(std::int32_t fd) noexcept {
    if (static_cast<std::size_t>(fd) >= states_.size()) return;
    descriptor_state& state = state_of(fd);
    while (state.knotes != 0) {
        // ENOENT, EBADF: the descriptor was closed behind the ring's back, and they went with it.
        (void)apply(kq_, deletion(fd, take_filter(state.knotes)));
    }
    // It stays in the list, with nothing to change.
    descriptor_state forgotten{};
    forgotten.next = state.next;
    forgotten.listed = state.listed;
    state = forgotten;
}

// The oldest changes, as many as there are and `room` for.
void kqueue_poller::take_changes(batch& into, int room) noexcept {
    into.change_count = 0;
    while (first_ != 0) {
        const std::int32_t fd = first_ - 1;
        descriptor_state& state = state_of(fd);
        while ((state.remove | state.add) != 0) {
            if (into.change_count == room) return;
            struct kevent& next = into.changes[static_cast<std::size_t>(into.change_count++)];
            if (state.remove != 0) {
                next = deletion(fd, take_filter(state.remove));
                continue;
            }
            const filter_of_direction& of = take_filter(state.add);
            const int kind = (state.clear & of.direction) != 0 ? EV_CLEAR : EV_ONESHOT;
            next = change_of(fd, of.filter, EV_ADD | kind, of.fflags);
            state.knotes |= of.direction;
        }
        first_ = std::exchange(state.next, 0);
        state.listed = false;
        if (first_ == 0) last_ = 0;
    }
}

int kqueue_poller::wait(std::span<ready_event> events, std::int64_t timeout_ns) noexcept {
    constexpr std::int64_t second_ns = 1'000'000'000;
    assert(!events.empty());
    batch work;
    // Each change that fails takes an event's place, so there are never more changes than places.
    const int room = static_cast<int>(std::min<std::size_t>(events.size(), batch_max));
    const std::uint64_t end = platform::deadline_ns(std::chrono::nanoseconds{timeout_ns});
    for (std::int64_t left_ns = timeout_ns;;) {
        take_changes(work, room);
        const bool all_applied = first_ == 0;
        if (!all_applied) left_ns = 0;
        const timespec time{
            .tv_sec = static_cast<time_t>(std::min(left_ns / second_ns, wait_seconds_max)),
            .tv_nsec = static_cast<long>(left_ns % second_ns)};
        const int count = ::kevent(kq_, work.changes.data(), work.change_count, work.events.data(),
                                   room, left_ns < 0 ? nullptr : &time);
        if (count < 0) return -errno;  // EINTR: it has slept, so the changes have been applied.
        int filled = 0;
        for (int index = 0; index < count; ++index) {
            if (take_event(work, index, events[static_cast<std::size_t>(filled)])) ++filled;
        }
        if (filled != 0 || work.woken) return filled;
        if (count == 0 && all_applied) return 0;
        // There are more changes, or it ended early: for a deletion that found nothing, or for
        // bytes where only the end is waited for.
        left_ns = timeout_ns < 0 ? no_timeout : platform::time_left(end).count();
    }
}

// Whether it is an event for the caller.
bool kqueue_poller::take_event(batch& from, int index, ready_event& event) noexcept {
    const struct kevent& told = from.events[static_cast<std::size_t>(index)];
    const auto fd = static_cast<std::int32_t>(told.ident);
    if ((told.flags & EV_ERROR) != 0) return take_refusal(from, index, event);
    const std::uint8_t filter = direction_of(static_cast<int>(told.filter));
    if (filter == 0 || fd == pipe_.native()) {
        from.woken = true;  // EVFILT_USER, or the pipe.
        (void)pipe_.drain();
        return false;
    }
    event = {.fd = fd, .directions = filter, .error_hint = 0};
    if ((told.flags & EV_EOF) != 0) {
        if (filter == direction::read) event.directions |= direction::ended;
        if (told.fflags != 0) event.directions = direction::all;
        if (filter == direction::write) event.error_hint = static_cast<std::int32_t>(told.fflags);
    }
    descriptor_state& state = state_of(fd);
    if ((state.clear & filter) == 0) take_away(state.knotes, filter);
    const bool wanted = (state.armed & event.directions) != 0;
    take_away(state.armed, event.directions & static_cast<std::uint8_t>(~state.edge));
    return wanted;
}

// A change that failed: the try tells why, which is why there is an event.
bool kqueue_poller::take_refusal(batch& from, int index, ready_event& event) noexcept {
    const struct kevent& told = from.events[static_cast<std::size_t>(index)];
    const auto fd = static_cast<std::int32_t>(told.ident);
    // What was to be deleted is gone, or the descriptor is: the addition that follows finds out.
    if (told.udata == as_udata<udata_type>(deletion_mark)) return false;
    const std::uint8_t filter = direction_of(static_cast<int>(told.filter));
    event = {.fd = fd, .directions = filter, .error_hint = 0};
    if (filter == direction::read) event.directions |= direction::ended;
    descriptor_state& state = state_of(fd);
    take_away(state.knotes, filter);
    take_away(state.clear, filter);
    take_away(state.armed, event.directions);
    take_away(state.edge, event.directions);
    // A kernel without this filter: no out-of-band data is ever told of.
    return filter != direction::urgent || told.data == EBADF;
}

void kqueue_poller::wake() noexcept {
    const int saved = errno;
#ifdef EVFILT_USER
    if (pipe_.native() < 0) (void)apply(kq_, change_of(0, EVFILT_USER, 0, NOTE_TRIGGER));
#endif
    pipe_.signal();
    errno = saved;
}

void kqueue_poller::abandon() noexcept {
    kq_ = -1;  // Not inherited: in the child its number is free, or somebody else's.
    pipe_.close();
}

}  // namespace ioring::backends::readiness
