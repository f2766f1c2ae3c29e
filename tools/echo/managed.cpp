// SPDX-License-Identifier: MIT
// managed.cpp - events in, bytes out.
#include "echo/managed.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace echo {
namespace {

// user_data of the two timers.
enum class alarm : std::uint8_t { second, end };

}  // namespace

std::error_code managed_server::run(std::chrono::nanoseconds duration,
                                    std::chrono::nanoseconds drain, counters& counted,
                                    const surroundings& around) {
    const auto set = [this](alarm which, std::chrono::nanoseconds delay) {
        (void)sockets_.start_timer(delay, static_cast<std::uint64_t>(which));
    };
    if (duration.count() > 0) set(alarm::end, duration);
    if (around.reports) set(alarm::second, std::chrono::seconds{1});
    bool is_over = false;
    while (!is_over && around.stops_requested(around.context) == 0) {
        for (const ioring::socket_event& event : sockets_.poll()) {
            if (event.type != ioring::event_type::timer) {
                handle(event, counted);
            } else if (event.done.user_data == static_cast<std::uint64_t>(alarm::end)) {
                is_over = true;
            } else {
                count(counted);
                around.second_passed(around.context);
                set(alarm::second, std::chrono::seconds{1});
            }
        }
        if (const std::error_code error = sockets_.error()) {
            count(counted);
            return error;
        }
    }
    stop(drain, counted, around);
    return sockets_.error();
}

void managed_server::handle(const ioring::socket_event& event, counters& counted) noexcept {
    switch (event.type) {
        case ioring::event_type::accepted:
            counted.connections_peak = std::max(counted.connections_peak, sockets_.size());
            return;
        case ioring::event_type::received: {
            ioring::socket& from = *event.socket;
            if (writes_) {
                from.consume(from.write(from.readable()));
            } else {
                from.forward(from.readable().size());
            }
            return;
        }
        case ioring::event_type::closed:
            if (event.reason == ioring::close_reason::failed) ++counted.resets;
            return;
        default: return;
    }
}

// A second request wakes the ring, which cuts the drain short.
void managed_server::stop(std::chrono::nanoseconds drain, counters& counted,
                          const surroundings& around) {
    count(counted);
    around.stopping(around.context);
    const std::uint64_t discarded_before = sockets_.counters().bytes_discarded;
    const ioring::drain_report report = sockets_.drain(drain);
    count(counted);
    counted.cut_off += report.cut;
    counted.unfinished = sockets_.size();
    counted.bytes_discarded = sockets_.counters().bytes_discarded - discarded_before;
    counted.bytes_received -= counted.bytes_discarded;
}

void managed_server::count(counters& counted) const noexcept {
    const ioring::manager_counters& now = sockets_.counters();
    counted.messages = now.messages;
    counted.bytes_received = now.bytes_received;
    counted.bytes_sent = now.bytes_sent;
    counted.turns = now.turns;
    counted.accepted = now.accepted;
    counted.refused = now.refused;
    counted.accept_pauses = now.accept_pauses;
    counted.connections = sockets_.size();
}

std::string managed_server::describe() const {
    const ioring::manager_counters& now = sockets_.counters();
    return fmt::format("Chunks: starved {} times, {} evicted, {} bytes copied out of them",
                       now.starvations, now.evictions, now.bytes_copied);
}

}  // namespace echo
