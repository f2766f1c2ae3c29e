// SPDX-License-Identifier: MIT
// poller_epoll_linux.cpp - registering, waiting, and doubting what stays silent.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <utility>

#include "backend/backend.hpp"
#include "backend/readiness/poller_epoll.hpp"
#include "platform/clock.hpp"
#include "platform/text.hpp"

namespace ioring::backends::readiness {
namespace {

constexpr std::uint32_t everything = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET;
constexpr std::size_t events_max = 256;

std::uint8_t directions_of(std::uint32_t events) noexcept {
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) return direction::all;
    std::uint8_t found = 0;
    if ((events & EPOLLIN) != 0) found |= direction::read;
    if ((events & EPOLLOUT) != 0) found |= direction::write;
    if ((events & EPOLLPRI) != 0) found |= direction::urgent;
    if ((events & EPOLLRDHUP) != 0) found |= direction::read | direction::ended;
    return found;
}

// To the nanosecond where the kernel can (5.11), else by epoll_wait(), rounded up.
int wait_exactly(int epoll, std::span<epoll_event> events, std::int64_t timeout_ns) noexcept {
    const int room = static_cast<int>(events.size());
    if (timeout_ns <= 0) return ::epoll_wait(epoll, events.data(), room, timeout_ns < 0 ? -1 : 0);
    constexpr std::int64_t second_ns = 1'000'000'000;
    // The kernel's 64-bit form, also where the C library's time is shorter.
    const std::array<std::int64_t, 2> time{timeout_ns / second_ns, timeout_ns % second_ns};
    constexpr long call_epoll_pwait2 = 441;
    const auto count = static_cast<int>(::syscall(call_epoll_pwait2, epoll, events.data(), room,
                                                  time.data(), nullptr, std::size_t{0}));
    if (count >= 0 || errno != ENOSYS) return count;
    const std::uint64_t deadline = platform::deadline_ns(std::chrono::nanoseconds{timeout_ns});
    return ::epoll_wait(epoll, events.data(), room, platform::poll_timeout_ms(deadline));
}

}  // namespace

std::error_code epoll_poller::set_up(std::string& why) {
    const auto refused = [&](const char* what) {
        const std::error_code error{errno, std::generic_category()};
        why = std::string{what} + " is refused: " + error.message() +
              platform::advice_on(error.value());
        abandon();
        return error;
    };
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ < 0) return refused("epoll_create1");
    wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake_ < 0) return refused("eventfd");
    // By edge and never read: each write makes a new event.
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.fd = wake_}};
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) != 0) return refused("epoll_ctl");
    return {};
}

void epoll_poller::abandon() noexcept {
    if (epoll_ >= 0) ::close(std::exchange(epoll_, -1));
    if (wake_ >= 0) ::close(std::exchange(wake_, -1));
}

bool epoll_poller::reserve(std::int32_t fd) noexcept {
    const std::size_t count = static_cast<std::size_t>(fd) + 1;
    return registrations_.grow_to(count) && armed_.fds.grow_to(count) && failed_.fds.grow_to(count);
}

void epoll_poller::arm(std::int32_t fd, std::uint8_t, arming) noexcept {
    assert(fd >= 0);
    registration& of = registrations_[static_cast<std::size_t>(fd)];
    if (!of.registered) {
        if (!register_(fd)) fail(fd);
        return;
    }
    begin_doubt(fd);
}

// A registration reports what is there already. False: the system refuses.
bool epoll_poller::register_(std::int32_t fd) noexcept {
    epoll_event event{.events = everything, .data = {.fd = fd}};
    bool done = ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
    if (!done && errno == EEXIST) {
        done = ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0;
    }
    registrations_[static_cast<std::size_t>(fd)].registered = done;
    return done;
}

void epoll_poller::fail(std::int32_t fd) noexcept {
    registration& of = registrations_[static_cast<std::size_t>(fd)];
    if (std::exchange(of.failed, true)) return;
    failed_.fds[failed_.count++] = fd;
}

void epoll_poller::begin_doubt(std::int32_t fd) noexcept {
    registration& of = registrations_[static_cast<std::size_t>(fd)];
    of.doubted = doubt::fresh;
    if (std::exchange(of.listed, true)) return;
    if (armed_.count == 0) plan_look(platform::monotonic_ns());
    armed_.fds[armed_.count++] = fd;
}

void epoll_poller::plan_look(std::uint64_t now) noexcept {
    const auto count = static_cast<std::int64_t>(armed_.count);
    next_look_ns_ = now + static_cast<std::uint64_t>(std::max(doubt_ns, count * doubt_each_ns));
}

void epoll_poller::forget(std::int32_t fd) noexcept {
    if (static_cast<std::size_t>(fd) >= registrations_.size()) return;
    registration& of = registrations_[static_cast<std::size_t>(fd)];
    of.doubted = doubt::none;
    if (!std::exchange(of.registered, false)) return;
    epoll_event unused{};
    // It may be closed already, or another one by now.
    (void)::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, &unused);
}

// Registers again what was armed before the last look and has had no event since.
void epoll_poller::look_again() noexcept {
    std::size_t kept = 0;
    for (std::size_t index = 0; index < armed_.count; ++index) {
        const std::int32_t fd = armed_.fds[index];
        registration& of = registrations_[static_cast<std::size_t>(fd)];
        if (of.doubted == doubt::fresh) {
            of.doubted = doubt::stale;
            armed_.fds[kept++] = fd;
            continue;
        }
        of.listed = false;
        if (std::exchange(of.doubted, doubt::none) == doubt::none || !of.registered) continue;
        epoll_event event{.events = everything, .data = {.fd = fd}};
        if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0) continue;
        if (!register_(fd)) fail(fd);
    }
    armed_.count = kept;
}

int epoll_poller::take_failed(std::span<ready_event> events) noexcept {
    std::size_t count = 0;
    while (count < events.size() && failed_.count > 0) {
        const std::int32_t fd = failed_.fds[--failed_.count];
        registrations_[static_cast<std::size_t>(fd)].failed = false;
        events[count++] = {.fd = fd, .directions = direction::all, .error_hint = 0};
    }
    return static_cast<int>(count);
}

int epoll_poller::wait(std::span<ready_event> events, std::int64_t timeout_ns) noexcept {
    if (failed_.count > 0) return take_failed(events);
    if (armed_.count == 0) return sleep(events, timeout_ns);
    const std::uint64_t begin = platform::monotonic_ns();
    const std::uint64_t end =
        timeout_ns < 0 ? ~std::uint64_t{0} : begin + static_cast<std::uint64_t>(timeout_ns);
    for (std::uint64_t now = begin;;) {
        if (now >= next_look_ns_) {
            look_again();
            if (failed_.count > 0) return take_failed(events);
            plan_look(now);
        }
        const std::uint64_t until = armed_.count != 0 ? std::min(end, next_look_ns_) : end;
        const std::int64_t left = until == ~std::uint64_t{0}
                                      ? no_timeout
                                      : static_cast<std::int64_t>(until - std::min(until, now));
        const int count = sleep(events, left);
        if (count != 0 || woken_) return count;
        if (until == end) return 0;
        now = platform::monotonic_ns();
    }
}

int epoll_poller::sleep(std::span<ready_event> events, std::int64_t timeout_ns) noexcept {
    std::array<epoll_event, events_max> raw;
    const std::span room{raw.data(), std::min(raw.size(), events.size())};
    const int count = wait_exactly(epoll_, room, timeout_ns);
    if (count < 0) return -errno;
    int filled = 0;
    woken_ = false;
    for (int index = 0; index < count; ++index) {
        const epoll_event& event = raw[static_cast<std::size_t>(index)];
        const std::int32_t fd = event.data.fd;
        if (fd == wake_) {
            woken_ = true;
            continue;
        }
        registrations_[static_cast<std::size_t>(fd)].doubted = doubt::none;
        events[static_cast<std::size_t>(filled++)] = {
            .fd = fd, .directions = directions_of(event.events), .error_hint = 0};
    }
    return filled;
}

void epoll_poller::wake() noexcept {
    const int saved = errno;
    const std::uint64_t one = 1;
    // It fails only when 2^64 - 1 wakes have come, and then it is readable all the same.
    (void)!::write(wake_, &one, sizeof one);
    errno = saved;
}

}  // namespace ioring::backends::readiness
