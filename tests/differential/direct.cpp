// SPDX-License-Identifier: MIT
// direct.cpp - what a program does beside the ring: plain calls on the other ends.
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "differential/random.hpp"
#include "differential/runner.hpp"
#include "ioring/prep.hpp"

namespace ioring::differential {
namespace {

constexpr std::uint32_t waiting_max = 8;

int result_of(long result) { return result < 0 ? -errno : static_cast<int>(result); }

bool is_hang_up(verb what) {
    return what == verb::peer_shutdown || what == verb::peer_close || what == verb::peer_reset ||
           what == verb::shutdown_now || what == verb::close_now;
}

std::string text_of(std::int32_t socket) { return "s" + std::to_string(socket); }

}  // namespace

void runner::note_direct(std::int32_t res, std::uint64_t content) {
    trace_.events.push_back({.res = res, .content = content});
    settle();
}

void runner::hang_up(std::int32_t socket) {
    const std::int32_t other = sockets_.at(socket).other;
    sockets_.at(socket).hung_up = true;
    if (other != socket_slot::none) sockets_.at(other).hung_up = true;
    sockets_.mark_moving(socket);
    sockets_.mark_moving(other);
}

void runner::take_direct(const step& from) {
    note_record(from.id, 3);
    // The rules for an entry have looked at sockets as they were when it was prepared.
    if (is_hang_up(from.what)) flush();
    switch (from.what) {
        case verb::burst: return burst(from);
        case verb::peer_write: return peer_write(from);
        case verb::peer_read: return peer_read(from);
        case verb::peer_shutdown: return peer_shutdown(from);
        case verb::peer_close: return peer_close(from, false);
        case verb::peer_reset: return peer_close(from, true);
        case verb::peer_connect: return peer_connect(from);
        case verb::open_pair:
            sockets_.open_pair(static_cast<connection_kind>(from.variant % 3));
            say("open " + text_of(static_cast<std::int32_t>(sockets_.size()) - 2) + " and " +
                text_of(static_cast<std::int32_t>(sockets_.size()) - 1) + " as a pair, kind " +
                std::to_string(from.variant % 3) + ";");
            return;
        case verb::recycle: return recycle(from);
        case verb::shutdown_now:
        case verb::close_now: return now(from);
        default: return;
    }
}

// More nops than either queue holds, and nobody looks until all are submitted.
void runner::burst(const step& from) {
    flush();
    const std::uint32_t count = 8 + from.bytes % 48;
    say("submit " + std::to_string(count) + " nops without a look, tag " + std::to_string(from.id) +
        ";");
    operation all;
    all.left = count;
    all.prompt = true;
    all.unordered = true;
    all.submitted = true;
    prep_nop(all.entry, from.id);
    add(all, from.id);
    for (std::uint32_t made = 0; made < count; ++made) push(all.entry);
    submit_all();
    settle();
}

void runner::peer_write(const step& from) {
    const std::int32_t peer = pick_peer(from.pick, way::write);
    if (peer == socket_slot::none) return;
    const std::span bytes = pattern(from.id, room(peer, from.bytes));
    say("write " + std::to_string(bytes.size()) + " bytes to " + text_of(peer) + ";");
    const int sent = result_of(
        ::send(sockets_.at(peer).fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
    if (sent > 0) sockets_.at(peer).written += static_cast<std::uint32_t>(sent);
    sockets_.mark_moving(peer);
    note_direct(sent, 0);
}

void runner::peer_read(const step& from) {
    const std::int32_t peer = pick_peer(from.pick, way::read);
    if (peer == socket_slot::none) return;
    const std::span memory = take_memory(std::min(from.bytes, 20'000U));
    say("read " + std::to_string(memory.size()) + " bytes from " + text_of(peer) + ";");
    const int got =
        result_of(::recv(sockets_.at(peer).fd, memory.data(), memory.size(), MSG_DONTWAIT));
    const auto bytes = static_cast<std::size_t>(std::max(got, 0));
    sockets_.at(peer).taken += bytes;
    sockets_.mark_moving(sockets_.at(peer).other);
    note_direct(got, hash_of(memory.first(bytes)));
}

void runner::peer_shutdown(const step& from) {
    const std::int32_t peer = pick_peer(from.pick, way::any);
    if (peer == socket_slot::none) return;
    if (!may_shut(peer, from.variant % 3)) return;
    const int how = static_cast<int>(from.variant % 3);
    say("shutdown " + text_of(peer) + ", how " + std::to_string(how) + ";");
    const int result = result_of(::shutdown(sockets_.at(peer).fd, how));
    hang_up(peer);
    note_direct(result, 0);
}

void runner::peer_close(const step& from, bool reset) {
    const std::int32_t peer = pick_peer(from.pick, way::any);
    if (peer == socket_slot::none || !may_hang_up(peer)) return;
    say(std::string{reset ? "reset " : "close "} + text_of(peer) + ";");
    if (reset) {
        const ::linger abort{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(sockets_.at(peer).fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    }
    hang_up(peer);
    close_plainly(peer);
    note_direct(0, 0);
}

// A number that the ring has seen goes through the ring: closing it behind the ring's back is
// allowed difference 4.
void runner::close_plainly(std::int32_t socket) {
    std::int32_t number = sockets_.at(socket).fd;
    if (!sockets_.at(socket).known_to_ring) return sockets_.close(socket);
    queues_->register_(backends::register_op::close_now, &number, 0);
    sockets_.at(socket).fd = -1;
}

void runner::peer_connect(const step& from) {
    const std::int32_t listener = pick_kind(from.pick, socket_kind::listener);
    if (listener == socket_slot::none || sockets_.at(listener).waiting >= waiting_max) return;
    const std::int32_t peer = sockets_.open_fresh(sockets_.at(listener).tcp);
    const std::int32_t accepted = sockets_.reserve();
    sockets_.at(peer).accepted_as = accepted;
    say("connect " + text_of(peer) + " to " + text_of(listener) + ";");
    const std::span address = sockets_.address_of_listener(listener);
    const int result = result_of(::connect(sockets_.at(peer).fd,
                                           reinterpret_cast<const ::sockaddr*>(address.data()),
                                           static_cast<socklen_t>(address.size())));
    socket_slot& slot = sockets_.at(peer);
    slot.kind = socket_kind::stream;
    slot.address = own_address(slot.fd);
    slot.target = listener;
    if (result == 0) {
        ++sockets_.at(listener).waiting;
        ++sockets_.at(listener).due;
        await_arrival(listener);
    }
    note_direct(result, 0);
}

void runner::recycle(const step& from) {
    if (groups_.empty()) return;
    group_state& group = groups_[from.pick % groups_.size()];
    const std::size_t count = std::min<std::size_t>(group.used.size(), 1 + from.bytes % 8);
    if (count == 0) return;
    say("recycle " + std::to_string(count) + " buffers of group " +
        std::to_string(from.pick % groups_.size()) + ";");
    for (std::size_t index = 0; index < count; ++index) post_buffer(group, group.used[index]);
    group.used.erase(group.used.begin(), group.used.begin() + static_cast<std::ptrdiff_t>(count));
}

void runner::now(const step& from) {
    const std::int32_t socket = pick_stream(from.pick);
    if (socket == socket_slot::none || sockets_.at(socket).kind != socket_kind::stream) return;
    std::int32_t number = sockets_.at(socket).fd;
    int result = 0;
    if (from.what == verb::shutdown_now) {
        if (!may_shut(socket, from.variant % 3)) return;
        backends::socket_shutdown how{number, from.variant % 3};
        say("shutdown_now(" + text_of(socket) + ", " + std::to_string(how.how) + ");");
        result = queues_->register_(backends::register_op::shutdown_now, &how, 0);
        hang_up(socket);
    } else {
        // Its caller has cancelled what was in flight.
        if (is_busy(socket, way::any) || !may_hang_up(socket)) return;
        for (const auto& [tag, each] : operations_) {
            if (each.left > 0 && each.socket == socket) return;
        }
        say("close_now(" + text_of(socket) + ");");
        hang_up(socket);
        result = queues_->register_(backends::register_op::close_now, &number, 0);
        sockets_.at(socket).fd = -1;
    }
    note_direct(result, 0);
}

}  // namespace ioring::differential
