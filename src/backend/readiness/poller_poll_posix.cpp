// SPDX-License-Identifier: MIT
// poller_poll_posix.cpp - building the array, waiting, and turning levels into edges.
#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <utility>

#include "backend/backend.hpp"
#include "backend/readiness/poller_poll.hpp"
#include "backend/readiness/system.hpp"
#include "platform/clock.hpp"
#include "platform/text.hpp"

namespace ioring::backends::readiness {
namespace {

short host_events(std::uint8_t directions) noexcept {
    int events = 0;
    if ((directions & direction::read) != 0) events |= POLLIN;
    if ((directions & direction::write) != 0) events |= POLLOUT;
    if ((directions & direction::urgent) != 0) events |= POLLPRI;
    if ((directions & direction::ended) != 0) events |= system::host_peer_ended();
    return static_cast<short>(events);
}

constexpr short hang_ups = POLLERR | POLLHUP | POLLNVAL;

std::uint8_t directions_of(short events) noexcept {
    if ((events & hang_ups) != 0) return direction::all;
    std::uint8_t found = 0;
    if ((events & POLLIN) != 0) found |= direction::read;
    if ((events & POLLOUT) != 0) found |= direction::write;
    if ((events & POLLPRI) != 0) found |= direction::urgent;
    if ((events & system::host_peer_ended()) != 0) found |= direction::read | direction::ended;
    return found;
}

}  // namespace

std::error_code poll_poller::set_up(std::string& why) {
    if (const std::error_code error = platform::wake_handle::create(wake_); error) {
        why = "no descriptor to wake the poll backend by: " + error.message() +
              platform::advice_on(error.value());
        return error;
    }
    if (!polled_.grow_to(1) || !interests_.grow_to(1)) {
        why = "no memory for the poll backend";
        return std::make_error_code(std::errc::not_enough_memory);
    }
    polled_[0] = {.fd = wake_.native(), .events = POLLIN, .revents = 0};
    count_ = 1;
    return {};
}

bool poll_poller::has_place(std::int32_t fd) const noexcept {
    const auto index = static_cast<std::size_t>(fd);
    return index < places_.size() && places_[index] != 0;
}

// A place for each descriptor up to `fd`, and the one of the wake.
bool poll_poller::reserve(std::int32_t fd) noexcept {
    const std::size_t places = static_cast<std::size_t>(fd) + 2;
    return places_.grow_to(places) && polled_.grow_to(places) && interests_.grow_to(places);
}

void poll_poller::arm(std::int32_t fd, std::uint8_t directions, arming how) noexcept {
    assert(fd >= 0);
    if (!has_place(fd)) {
        places_[static_cast<std::size_t>(fd)] = static_cast<std::uint32_t>(count_);
        polled_[count_] = {.fd = fd, .events = 0, .revents = 0};
        interests_[count_++] = {};
    }
    const std::size_t place = places_[static_cast<std::size_t>(fd)];
    interest& of = interests_[place];
    of.hung = false;
    (how == arming::once ? of.once : of.edge) |= directions == 0 ? errors_only : directions;
    prepare(place);
}

// What poll() is to look for at `place`; a negative descriptor is passed over.
void poll_poller::prepare(std::size_t place) noexcept {
    const interest& of = interests_[place];
    const auto wanted = static_cast<std::uint8_t>(of.once | (of.edge & ~of.told));
    pollfd& file = polled_[place];
    const std::int32_t fd = file.fd < 0 ? ~file.fd : file.fd;
    const bool idle = of.once == 0 && (of.edge == 0 || of.hung);
    file.fd = idle ? ~fd : fd;
    file.events = host_events(wanted);
}

void poll_poller::forget(std::int32_t fd) noexcept {
    if (has_place(fd)) leave(places_[static_cast<std::size_t>(fd)]);
}

// The last place moves into the one that becomes free.
void poll_poller::leave(std::size_t place) noexcept {
    const std::int32_t fd = polled_[place].fd < 0 ? ~polled_[place].fd : polled_[place].fd;
    if (interests_[place].told != 0) --edges_told_;
    places_[static_cast<std::size_t>(fd)] = 0;
    const std::size_t last = --count_;
    if (place == last) return;
    polled_[place] = polled_[last];
    interests_[place] = interests_[last];
    const std::int32_t moved = polled_[place].fd < 0 ? ~polled_[place].fd : polled_[place].fd;
    places_[static_cast<std::size_t>(moved)] = static_cast<std::uint32_t>(place);
}

// A condition that was told and is not there now may be told again.
void poll_poller::look_for_gone() noexcept {
    for (std::size_t place = 1; edges_told_ > 0 && place < count_; ++place) {
        interest& of = interests_[place];
        if (of.told == 0 || of.hung) continue;
        pollfd look{.fd = polled_[place].fd, .events = host_events(of.told), .revents = 0};
        if (::poll(&look, 1, 0) < 0) continue;
        const auto still = static_cast<std::uint8_t>(of.told & directions_of(look.revents));
        if (still == of.told) continue;
        of.told = still;
        if (still == 0) --edges_told_;
        prepare(place);
    }
}

int poll_poller::wait(std::span<ready_event> events, std::int64_t timeout_ns) noexcept {
    if (edges_told_ > 0) look_for_gone();
    const auto count = static_cast<nfds_t>(count_);
    const bool endless = timeout_ns < 0;
    const std::uint64_t deadline =
        endless ? 0 : platform::deadline_ns(std::chrono::nanoseconds{timeout_ns});
    for (;;) {
        const int timeout_ms =
            endless ? -1 : (timeout_ns == 0 ? 0 : platform::poll_timeout_ms(deadline));
        const int ready = ::poll(&polled_[0], count, timeout_ms);
        if (ready < 0) return -errno;
        if (ready > 0) return collect(events);
        // poll() waits for 24 days at most.
        if (timeout_ns == 0 || platform::monotonic_ns() >= deadline) return 0;
    }
}

int poll_poller::collect(std::span<ready_event> events) noexcept {
    if (polled_[0].revents != 0) wake_.drain();
    std::size_t filled = 0;
    const std::size_t places = count_;
    for (std::size_t step = 0; step + 1 < places && filled < events.size(); ++step) {
        if (first_ >= count_) first_ = 1;
        const std::size_t place = first_++;
        pollfd& file = polled_[place];
        const short revents = std::exchange(file.revents, short{0});
        if (revents == 0 || file.fd < 0) continue;
        interest& of = interests_[place];
        const std::uint8_t found = directions_of(revents);
        events[filled++] = {.fd = file.fd, .directions = found, .error_hint = 0};
        of.hung = (revents & hang_ups) != 0;
        of.once = of.hung ? 0 : static_cast<std::uint8_t>(of.once & ~found);
        const auto told = static_cast<std::uint8_t>(of.told | (of.edge & found));
        if (of.told == 0 && told != 0) ++edges_told_;
        of.told = told;
        prepare(place);
    }
    return static_cast<int>(filled);
}

}  // namespace ioring::backends::readiness
