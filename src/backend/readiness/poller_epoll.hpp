// SPDX-License-Identifier: MIT
// poller_epoll.hpp - epoll as a poller: each descriptor is registered once, for everything, by
// edge.
//
// A registration stands until forget(), so that parking an operation costs no system call. It
// cannot notice that its descriptor was closed behind our back and the number given out anew: then
// no event ever comes. So a descriptor that was armed and has had no event for a while is
// registered again, which heals that; its next event, or that once, proves the registration good.
// The more are armed the longer that while is, so that it never takes more than a hundredth of the
// time: thousands of busy connections wait long for their turn, and nothing is wrong with them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <system_error>

#include "backend/emulation/growing_array.hpp"
#include "backend/readiness/poller.hpp"

namespace ioring::backends::readiness {

class epoll_poller {
public:
    static constexpr const char* name = "epoll";
    static constexpr bool hears_changes = true;
    // How long an armed descriptor may go without an event before it is registered again: this, or
    // doubt_each_ns for each that is armed if that is longer; at most twice as long passes.
    static constexpr std::int64_t doubt_ns = 50'000'000;
    static constexpr std::int64_t doubt_each_ns = 50'000;

    epoll_poller() = default;
    epoll_poller(const epoll_poller&) = delete;
    epoll_poller& operator=(const epoll_poller&) = delete;
    ~epoll_poller() { abandon(); }

    [[nodiscard]] std::error_code set_up(std::string& why);
    [[nodiscard]] bool reserve(std::int32_t fd) noexcept;
    void arm(std::int32_t fd, std::uint8_t directions, arming how) noexcept;
    void forget(std::int32_t fd) noexcept;
    [[nodiscard]] int wait(std::span<ready_event> events, std::int64_t timeout_ns) noexcept;
    void wake() noexcept;
    [[nodiscard]] int native() const noexcept { return epoll_; }
    void abandon() noexcept;

private:
    enum class doubt : std::uint8_t {
        none,   // An event since it was armed.
        fresh,  // Armed since the last look.
        stale   // Armed before that, and no event.
    };
    struct registration {
        bool registered;
        doubt doubted;
        bool listed;  // In armed_.
        bool failed;  // Could not be registered: in failed_.
    };
    // In a table as large as registrations_.
    struct fd_list {
        emulation::growing_array<std::int32_t> fds;
        std::size_t count = 0;
    };

    [[nodiscard]] bool register_(std::int32_t fd) noexcept;
    void fail(std::int32_t fd) noexcept;
    void begin_doubt(std::int32_t fd) noexcept;
    void look_again() noexcept;
    void plan_look(std::uint64_t now) noexcept;
    [[nodiscard]] int sleep(std::span<ready_event> events, std::int64_t timeout_ns) noexcept;
    [[nodiscard]] int take_failed(std::span<ready_event> events) noexcept;

    int epoll_ = -1;
    int wake_ = -1;
    bool woken_ = false;  // The last sleep has seen a wake.
    emulation::growing_array<registration> registrations_;
    fd_list armed_;  // All that are in doubt, and some that are not any more.
    fd_list failed_;
    std::uint64_t next_look_ns_ = 0;
};

static_assert(poller<epoll_poller>);

}  // namespace ioring::backends::readiness
