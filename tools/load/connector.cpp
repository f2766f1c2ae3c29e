// SPDX-License-Identifier: MIT
// connector.cpp - opens the connections.
#include "connector.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fmt/core.h>

#include "common/error_text.hpp"
#include "common/number_text.hpp"

namespace load {
namespace {

// What a person can do about it, as a clause to append.
const char* advice(int error) noexcept {
    switch (error) {
        case ECONNREFUSED: return " (is the server running there?)";
        case ENOENT: return " (no such socket: is the server running?)";
        case EADDRNOTAVAIL:
            return " (no local port is left to one address: ask for fewer connections, or see "
                   "net.ipv4.ip_local_port_range)";
        case EMFILE:
        case ENFILE: return " (raise the descriptor limit, ulimit -n)";
        default: return "";
    }
}

}  // namespace

connector::connector(world& shared, std::vector<ioring::endpoint> addresses)
    : world_{shared},
      addresses_{std::move(addresses)},
      limit_{static_cast<std::uint32_t>(shared.peers.size())} {
    waiting_.reserve(shared.peers.size());
}

std::optional<std::uint32_t> connector::pump(std::int64_t now) {
    if (start_ns_ == 0) {
        start_ns_ = now;
        const double rate = world_.asked.connect_rate_per_second;
        if (rate > 0) pace_ = schedule{rate, now};
    }
    while (in_flight_ < in_flight_max && world_.ring.submission_queue_space() > 0) {
        std::uint32_t index = 0;
        if (!waiting_.empty() && now >= waiting_until_ns_) {
            index = waiting_.back();
            waiting_.pop_back();
        } else if (begun_ < limit_ && pace_.time_of(begun_) <= now) {
            index = begun_++;
            connection& peer = world_.peers[index];
            peer.phase = phase::connecting;
            peer.progress_ns = now;
            peer.address = preferred_;
            peer.addresses_left = static_cast<std::uint32_t>(addresses_.size()) - 1;
        } else {
            break;
        }
        if (!begin(world_.peers[index], index, now)) return index;
    }
    return std::nullopt;
}

bool connector::begin(connection& peer, std::uint32_t index, std::int64_t now) {
    for (;;) {
        const ioring::endpoint& address = addresses_[peer.address];
        std::error_code error = world_.ring.open_socket(address.family(), peer.socket);
        if (!error) error = world_.ring.configure_socket(peer.socket);
        if (!error) {
            world_.ring.prepare_connect(peer.socket, address, tag(op::connect, index));
            peer.connecting = true;
            ++in_flight_;
            return true;
        }
        close(peer);
        if (next_address(peer, index, error.value(), now) == outcome::failed) return false;
    }
}

std::int64_t connector::next_time_ns() const noexcept {
    std::int64_t next = never_ns;
    if (in_flight_ >= in_flight_max) return next;
    if (!waiting_.empty()) next = waiting_until_ns_;
    if (begun_ < limit_) next = std::min(next, pace_.time_of(begun_));
    return next;
}

connector::outcome connector::completed(connection& peer, std::uint32_t index, std::int32_t res,
                                        std::int64_t now) {
    --in_flight_;
    peer.connecting = false;
    if (res >= 0) {
        preferred_ = peer.address;
        peer.phase = phase::open;
        peer.progress_ns = now;
        return outcome::connected;
    }
    close(peer);
    if (stopped_) return outcome::failed;
    const bool full_backlog = res == -EAGAIN || res == -EINTR;  // A local socket's, for instance.
    const auto patience_ns = world_.asked.timeout.count();
    if (full_backlog && now - peer.progress_ns < patience_ns) {
        waiting_.push_back(index);
        waiting_until_ns_ = now + retry_pause_ns;
        return outcome::again;
    }
    const int error = res == -ECANCELED || full_backlog ? ETIMEDOUT : -res;
    const outcome next = next_address(peer, index, error, now);
    if (next == outcome::again) waiting_.push_back(index);
    return next;
}

connector::outcome connector::next_address(connection& peer, std::uint32_t index, int error,
                                           std::int64_t now) {
    if (peer.addresses_left == 0) {
        explain(peer, error);
        why_ = fmt::format("connection {}: {}", index, why_);
        return outcome::failed;
    }
    --peer.addresses_left;
    peer.address = (peer.address + 1) % static_cast<std::uint32_t>(addresses_.size());
    peer.progress_ns = now;
    return outcome::again;
}

void connector::explain(const connection& peer, int error) {
    timed_out_ = error == ETIMEDOUT;
    const std::string address = to_string(addresses_[peer.address]);
    if (timed_out_) {
        why_ = fmt::format("cannot connect to {}: no answer within {}", address,
                           ioring::tools::duration_text(world_.asked.timeout));
        return;
    }
    why_ = fmt::format("cannot connect to {}: {}{}", address,
                       ioring::tools::error_text({error, std::generic_category()}), advice(error));
}

void connector::expire(std::uint32_t index) noexcept {
    world_.ring.prepare_cancel(tag(op::connect, index), tag(op::cancel, index));
}

void connector::stop() noexcept {
    stopped_ = true;
    limit_ = begun_;
    waiting_.clear();
}

void connector::close(connection& peer) noexcept {
    if (peer.socket.valid()) world_.ring.close_now(peer.socket);
    peer.socket = {};
}

}  // namespace load
