// SPDX-License-Identifier: MIT
// socket_event.cpp - events and reasons in words.
#include "ioring/socket_event.hpp"

namespace ioring {

std::string_view to_string(event_type which) noexcept {
    switch (which) {
        case event_type::accepted: return "accepted";
        case event_type::connected: return "connected";
        case event_type::received: return "received";
        case event_type::send_blocked: return "send_blocked";
        case event_type::writable: return "writable";
        case event_type::drained: return "drained";
        case event_type::peer_closed: return "peer_closed";
        case event_type::closed: return "closed";
        case event_type::accept_paused: return "accept_paused";
        case event_type::timer: return "timer";
        case event_type::completion: return "completion";
    }
    return "";
}

std::string_view to_string(close_reason which) noexcept {
    switch (which) {
        case close_reason::none: return "none";
        case close_reason::closed: return "closed";
        case close_reason::aborted: return "aborted";
        case close_reason::peer_closed: return "peer_closed";
        case close_reason::failed: return "failed";
        case close_reason::connect_failed: return "connect_failed";
        case close_reason::connect_timeout: return "connect_timeout";
        case close_reason::handshake_timeout: return "handshake_timeout";
        case close_reason::idle_timeout: return "idle_timeout";
        case close_reason::read_timeout: return "read_timeout";
        case close_reason::write_stalled: return "write_stalled";
        case close_reason::slow_reader: return "slow_reader";
        case close_reason::drain_timeout: return "drain_timeout";
        case close_reason::drained: return "drained";
    }
    return "";
}

}  // namespace ioring
