// SPDX-License-Identifier: MIT
// poller_epoll.hpp - epoll as a poller: each descriptor is registered once, for everything, by
// edge.
//
// A registration stands until forget(), so that parking an operation costs no system call. It
// cannot notice that its descriptor was closed behind our back and the number given out anew: then
// no event ever comes. So a descriptor that was armed and has had no event for a while is
// registered again, which heals that; its next event, or that once, proves the registration good.
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
    // How long an armed descriptor may go without an event before it is registered again; at most
    // twice this long passes.
    static constexpr std::int64_t doubt_ns = 50'000'000;

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
    struct registration {
        bool registered;
        bool doubted;  // Armed, and no event since.
        bool listed;   // In one of the two lists.
        bool failed;   // Could not be registered: in failed_.
    };
    // Descriptors that were armed, in a table as large as registrations_.
    struct fd_list {
        emulation::growing_array<std::int32_t> fds;
        std::size_t count = 0;
    };

    [[nodiscard]] bool register_(std::int32_t fd) noexcept;
    void fail(std::int32_t fd) noexcept;
    void doubt(std::int32_t fd) noexcept;
    void look_again() noexcept;
    [[nodiscard]] int sleep(std::span<ready_event> events, std::int64_t timeout_ns) noexcept;
    [[nodiscard]] int take_failed(std::span<ready_event> events) noexcept;

    int epoll_ = -1;
    int wake_ = -1;
    bool woken_ = false;  // The last sleep has seen a wake.
    emulation::growing_array<registration> registrations_;
    fd_list young_;  // Armed since the last look ...
    fd_list old_;    // ... and those that have seen one.
    fd_list failed_;
    std::uint64_t next_look_ns_ = 0;
};

static_assert(poller<epoll_poller>);

}  // namespace ioring::backends::readiness
