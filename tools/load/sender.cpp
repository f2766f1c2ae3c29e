// SPDX-License-Identifier: MIT
// sender.cpp - decides which messages start when, and sends them.
#include "sender.hpp"

#include <algorithm>

namespace load {

sender::sender(world& shared, journal& times)
    : world_{shared},
      times_{times},
      buffers_{static_cast<std::size_t>(
          std::min(shared.asked.size_bytes * shared.asked.depth, send_bytes_max))} {
    ready_.reserve(shared.peers.size());
    resend_.reserve(shared.peers.size());
}

void sender::begin(std::vector<std::uint32_t> order, std::int64_t now) {
    order_ = std::move(order);
    if (world_.asked.open_loop()) {
        plan_ = schedule{world_.asked.rate_per_second, now};
        for (std::uint32_t place = 0; place < order_.size(); ++place) {
            world_.peers[order_[place]].place = place;
        }
        return;
    }
    for (const std::uint32_t index : order_) offer(world_.peers[index], index);
}

void sender::begin_measuring() {
    for (const std::uint32_t index : order_) {
        connection& peer = world_.peers[index];
        peer.measured_from = world_.asked.open_loop() ? peer.due : peer.started;
    }
    if (world_.asked.messages != 0) left_ = world_.asked.messages;
}

void sender::stop(std::int64_t end_ns) {
    pace(end_ns);
    stopped_ = true;
    for (const std::uint32_t index : order_) {
        const connection& peer = world_.peers[index];
        for (std::uint64_t number = std::max(peer.started, peer.measured_from); number < peer.due;
             ++number) {
            const std::int64_t due_ns = plan_.time_of(number * order_.size() + peer.place);
            world_.found.latency.record(static_cast<std::uint64_t>(end_ns - due_ns));
            ++world_.found.unsent;
        }
    }
}

void sender::pace(std::int64_t now) {
    while (next_due_ns() <= now) {
        const std::uint32_t index = order_[next_place_];
        connection& peer = world_.peers[index];
        if (peer.phase == phase::open) {
            ++peer.due;
            ++backlog_;
            offer(peer, index);
        }
        ++next_message_;
        if (left_ != unlimited) --left_;
        if (++next_place_ == order_.size()) next_place_ = 0;
    }
}

std::int64_t sender::next_due_ns() const noexcept {
    if (stopped_ || left_ == 0 || order_.empty() || !world_.asked.open_loop()) return never_ns;
    return plan_.time_of(next_message_);
}

void sender::pump(std::int64_t now) {
    while (!resend_.empty()) {
        const std::uint32_t index = resend_.back();
        connection& peer = world_.peers[index];
        if (world_.ring.prepare_send(
                peer.socket, {peer.send_data + peer.send_done, peer.send_bytes - peer.send_done},
                tag(op::send, index)) == nullptr) {
            return;
        }
        resend_.pop_back();
    }
    std::size_t served = 0;
    for (; served < ready_.size(); ++served) {
        connection& peer = world_.peers[ready_[served]];
        if (peer.phase == phase::open && !prepare(peer, ready_[served], now)) break;
        peer.listed = false;
    }
    ready_.erase(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(served));
}

bool sender::may_start(const connection& peer) const noexcept {
    if (stopped_ || times_.full(peer)) return false;
    return world_.asked.open_loop() ? peer.due > peer.started : left_ > 0;
}

void sender::start_messages(connection& peer, std::uint32_t index, std::int64_t now) noexcept {
    while (pending_bytes(peer) < buffers_.buffer_bytes() && may_start(peer)) {
        if (peer.in_flight() == 0) peer.progress_ns = now;
        times_.start(peer, index, now);
        if (world_.asked.open_loop()) {
            --backlog_;
        } else if (left_ != unlimited) {
            --left_;
        }
    }
}

bool sender::prepare(connection& peer, std::uint32_t index, std::int64_t now) {
    if (world_.ring.submission_queue_space() == 0) return false;
    start_messages(peer, index, now);
    const auto bytes = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(pending_bytes(peer), buffers_.buffer_bytes()));
    if (bytes == 0) return true;
    peer.send_data = buffers_.acquire();
    peer.send_bytes = bytes;
    peer.send_done = 0;
    peer.sending = true;
    world_.content.fill(peer.key, peer.bytes_sent, {peer.send_data, bytes});
    peer.bytes_sent += bytes;
    world_.ring.prepare_send(peer.socket, {peer.send_data, bytes}, tag(op::send, index));
    return true;
}

void sender::completed(connection& peer, std::uint32_t index, std::uint32_t done_bytes) noexcept {
    peer.send_done += done_bytes;
    if (peer.send_done < peer.send_bytes && peer.phase == phase::open) {
        resend_.push_back(index);  // Still `sending`; the capacity is reserved.
        return;
    }
    release(peer);
    if (peer.phase == phase::open) offer(peer, index);
}

void sender::release(connection& peer) noexcept {
    buffers_.release(peer.send_data);
    peer.send_data = nullptr;
    peer.sending = false;
}

}  // namespace load
