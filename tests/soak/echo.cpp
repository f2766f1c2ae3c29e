// SPDX-License-Identifier: MIT
// echo.cpp - events in, the same bytes out, and what each manner's end may be.
#include "soak/echo.hpp"

#include <algorithm>
#include <cstring>

namespace ioring::soak {
namespace {

// Small, so that everything fills, is cut, runs out and is lent again.
constexpr manager_options limits{.sockets_max = 256,
                                 .buffer_bytes = 16'384,
                                 .chunks = 64,
                                 .chunk_bytes = 8192,
                                 .events_max = 7,
                                 .connect_timeout = std::chrono::seconds{20},
                                 .idle_timeout = idle_timeout,
                                 .write_stall_timeout = write_stall_timeout,
                                 .drain_timeout = drain_timeout};

// How a connection of this manner ends when all goes well, seen from the manager.
bool is_proper(manner how, bool is_ours, close_reason why) noexcept {
    switch (how) {
        case manner::reset: return why == close_reason::failed;
        case manner::idle: return why == close_reason::idle_timeout;
        case manner::never_reads: return why == close_reason::write_stalled;
        case manner::server_ends: return why == close_reason::closed;
        case manner::never_ends: return why == close_reason::drain_timeout;
        case manner::server_aborts: return why == close_reason::aborted;
        case manner::outbound:
            return why == (is_ours ? close_reason::closed : close_reason::peer_closed);
        case manner::refused: return why == close_reason::connect_failed;
        default: return why == close_reason::peer_closed;
    }
}

bool is_timeout(close_reason why) noexcept {
    return why == close_reason::idle_timeout || why == close_reason::write_stalled ||
           why == close_reason::drain_timeout;
}

bool is_late_peer(close_reason why) noexcept {
    return why == close_reason::peer_closed || why == close_reason::failed ||
           why == close_reason::connect_timeout;
}

}  // namespace

std::error_code echo::start(ring& where, std::string& why) {
    guests_.resize(limits.sockets_max);
    for (guest& each : guests_) free_.push_back(&each);
    if (const auto error = socket_manager::create(where, limits, sockets_, &why)) return error;
    if (const auto error = sockets_.listen("127.0.0.1:0", {}, listener_, &why)) return error;
    (void)sockets_.poll(std::chrono::nanoseconds{0});
    return sockets_.error();
}

echo::guest* echo::take_guest() {
    guest* const taken = free_.back();
    free_.pop_back();
    *taken = guest{};
    return taken;
}

void echo::connect(manner how, const endpoint& nobody) {
    socket* made = nullptr;
    if (const auto error = sockets_.connect(how == manner::refused ? nobody : address(), made)) {
        problem_ = "no connect: " + error.message();
        return;
    }
    guest* const of = take_guest();
    of->is_known = of->is_ours = true;
    of->what = {how, static_cast<std::uint32_t>(random_()),
                header_bytes + static_cast<std::uint32_t>(random_() % 50'000)};
    made->set_user(of);
}

void echo::turn(std::chrono::nanoseconds timeout) {
    for (const socket_event& event : sockets_.poll(timeout)) handle(event);
    if (sockets_.error()) problem_ = "the ring failed: " + sockets_.error().message();
}

void echo::handle(const socket_event& event) {
    if (event.type == event_type::accepted) event.socket->set_user(take_guest());
    if (event.socket == nullptr) return;
    auto& of = *static_cast<guest*>(event.socket->user());
    switch (event.type) {
        case event_type::received:
            of.is_ours ? check_back(*event.socket, of) : received(*event.socket, of);
            return;
        case event_type::connected:
        case event_type::writable:
            if (of.is_ours) feed(*event.socket, of);
            return;
        case event_type::closed:
            judge(of, event);
            free_.push_back(&of);
            return;
        default: return;
    }
}

void echo::received(socket& at, guest& of) {
    while (!at.readable().empty()) {
        if (!of.is_known) {
            if (at.readable().size() < header_bytes) return;  // The rest will be behind it.
            const auto header = read_header(at.readable());
            if (!header) return fail(of, "no header came");
            of.what = *header;
            of.is_known = true;
        }
        const auto come = at.readable();
        if (!matches(of.what, of.position, come)) return fail(of, "a byte that came is wrong");
        const std::size_t taken = reply(at);
        if (taken == 0) break;
        of.position += static_cast<std::uint32_t>(taken);
        verified_ += taken;
    }
    const bool is_all = of.is_known && of.position == of.what.bytes;
    const bool closes = of.what.how == manner::server_ends || of.what.how == manner::never_ends;
    if (is_all && closes) at.close();
    if (of.what.how == manner::server_aborts && of.position >= of.what.bytes / 2) at.abort();
}

// Sends back some of what is readable, in one of the ways there are. Returns how much of it.
std::size_t echo::reply(socket& at) {
    const auto come = at.readable();
    switch (random_() % 5) {
        case 0: {
            const std::size_t taken = at.write(come);
            at.consume(taken);
            return taken;
        }
        case 1: {
            const std::span<std::byte> room = at.writable();
            const std::size_t count = std::min(room.size(), come.size());
            if (count == 0) return 0;
            std::memcpy(room.data(), come.data(), count);
            at.commit_write(count);
            at.consume(count);
            return count;
        }
        case 2: return at.forward(1 + random_() % come.size());
        default: return at.forward(come.size());
    }
}

// What a connection of connect() gets back.
void echo::check_back(socket& at, guest& of) {
    while (!at.readable().empty()) {
        const auto come = at.readable();
        if (!matches(of.what, of.position, come)) return fail(of, "a byte that came back is wrong");
        of.position += static_cast<std::uint32_t>(come.size());
        verified_ += come.size();
        at.consume(come.size());
    }
    if (of.position > of.said) return fail(of, "more came back than was sent");
    of.position == of.what.bytes ? at.close() : feed(at, of);
}

void echo::feed(socket& at, guest& of) {
    while (of.said < of.what.bytes) {
        const std::span<std::byte> room = at.writable();
        const auto count = static_cast<std::uint32_t>(
            std::min<std::size_t>({room.size(), 1 + random_() % 5000, of.what.bytes - of.said}));
        if (count == 0) return;
        fill(of.what, of.said, room.first(count));
        at.commit_write(count);
        of.said += count;
    }
}

void echo::judge(const guest& of, const socket_event& event) {
    const std::size_t how = of.is_known ? static_cast<std::size_t>(of.what.how) : unknown;
    ++ends_[how][static_cast<std::size_t>(event.reason)];
    // A silent one, or one that was reset before it had said what it is.
    const bool is_nameless = !of.is_known && (event.reason == close_reason::idle_timeout ||
                                              event.reason == close_reason::failed);
    if (is_nameless || (of.is_known && is_proper(of.what.how, of.is_ours, event.reason))) return;
    // Its client needs many turns to read what the system has taken: each may be a little late.
    const milliseconds late{of.what.how == manner::slow_reader ? 40 : 250};
    // The other end of one of ours is here too, and may have been late.
    const bool may_be_late = is_timeout(event.reason) || (of.is_ours && is_late_peer(event.reason));
    if (may_be_late && lag_.excuses(late)) {
        ++excused_;
        return;
    }
    fail(of, "ended by " + std::string{to_string(event.reason)} + " (" + event.error.message() +
                 ") after " + std::to_string(of.position) + " of " + std::to_string(of.what.bytes) +
                 " bytes");
}

void echo::fail(const guest& of, const std::string& why) {
    if (!problem_.empty()) return;
    problem_ = "server, " +
               std::string{of.is_known ? to_string(of.what.how) : "of no known manner"} + ": " +
               why;
}

}  // namespace ioring::soak
