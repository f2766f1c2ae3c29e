// SPDX-License-Identifier: MIT
// poller_kqueue.hpp - kqueue(2) as a poller: macOS and the BSDs.
//
// Armed is a knote: one for each descriptor and filter. What arm() asks for is kept until wait()
// and travels in the same kevent() call, 64 changes at a time.
//
// - `once` is EV_ADD|EV_ONESHOT every time, the one way to arm again that all systems agree on.
//   Because every arm() adds the knote anew, a number that was closed behind the ring's back and is
//   in use again needs no care.
// - `edge` is EV_ADD|EV_CLEAR. An edge of writing is an event for each acknowledgement that comes,
//   wanted or not (19 for 20 one-byte sends, measured on NetBSD): for sending, `once` is cheaper.
// - A knote keeps the flags of its creation: a one-shot one is deleted before it becomes an edge.
// - `ended` is EVFILT_READ by EV_CLEAR, whose events are kept back as long as they tell of bytes.
// - `urgent` is EVFILT_EXCEPT, where there is one (macOS, OpenBSD); elsewhere it is never told.
// - A wake is EVFILT_USER, or a pipe where that is missing (NetBSD before 10, older OpenBSD).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <system_error>

#include "backend/emulation/growing_array.hpp"
#include "backend/readiness/poller.hpp"
#include "platform/wake_handle.hpp"

namespace ioring::backends::readiness {

class kqueue_poller {
public:
    static constexpr const char* name = "kqueue";
    static constexpr bool hears_changes = false;  // Not of what is armed `once`.

    kqueue_poller() = default;
    kqueue_poller(const kqueue_poller&) = delete;
    kqueue_poller& operator=(const kqueue_poller&) = delete;
    ~kqueue_poller();

    [[nodiscard]] std::error_code set_up(std::string& why);
    [[nodiscard]] bool reserve(std::int32_t fd) noexcept {
        return states_.grow_to(static_cast<std::size_t>(fd) + 1);
    }
    void arm(std::int32_t fd, std::uint8_t directions, arming how) noexcept;
    void forget(std::int32_t fd) noexcept;
    [[nodiscard]] int wait(std::span<ready_event> events, std::int64_t timeout_ns) noexcept;
    void wake() noexcept;
    [[nodiscard]] int native() const noexcept { return kq_; }
    void abandon() noexcept;

private:
    // All but `next` are sets: of directions, then of filters, each by the direction it is for.
    struct descriptor_state {
        std::int32_t next;    // Of the list of those with changes: the fd after this one, plus 1.
        bool listed;          // It is in that list.
        std::uint8_t armed;   // What an event is still wanted for.
        std::uint8_t edge;    // Stays so.
        std::uint8_t knotes;  // There is one, as far as we have heard.
        std::uint8_t clear;   // It is, or is to be, of EV_CLEAR.
        std::uint8_t remove;  // To be deleted before it is
        std::uint8_t add;     // to be added.
    };
    // Changes and events of <sys/event.h>, from which this header keeps free.
    struct batch;

    [[nodiscard]] int set_up_wake() noexcept;
    [[nodiscard]] descriptor_state& state_of(std::int32_t fd) noexcept;
    void list(std::int32_t fd) noexcept;
    void take_changes(batch& into, int room) noexcept;
    [[nodiscard]] bool take_event(batch& from, int index, ready_event& event) noexcept;
    [[nodiscard]] bool take_refusal(batch& from, int index, ready_event& event) noexcept;

    int kq_ = -1;
    platform::wake_handle pipe_;                         // Empty where there is EVFILT_USER.
    emulation::growing_array<descriptor_state> states_;  // By descriptor.
    // Descriptors with changes, oldest first: a list of fd + 1, ended by 0.
    std::int32_t first_ = 0;
    std::int32_t last_ = 0;
};

static_assert(poller<kqueue_poller>);

}  // namespace ioring::backends::readiness
