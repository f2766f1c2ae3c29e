// SPDX-License-Identifier: MIT
// generator.cpp - the load's loop, and what each completion means.
#include "generator.hpp"

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <string>

#include <fmt/core.h>

#include "common/error_text.hpp"
#include "common/number_text.hpp"
#include "ioring/error.hpp"

namespace load {
namespace {

using ioring::tools::with_commas;

// Errors of a wait after which the next turn goes on: completions have to be read first, or a
// signal came.
bool is_transient(int result) noexcept {
    return result >= 0 || result == -EBUSY || result == -EAGAIN || result == -EINTR ||
           result == -ETIME;
}

// Results of transfers after which the same transfer may be asked for again.
bool is_passing(std::int32_t res) noexcept { return res == -EINTR || res == -EAGAIN; }

constexpr std::int64_t progress_interval_ns = 1'000'000'000;

std::string transfer_error(std::uint32_t index, const char* what, int res, std::uint64_t position) {
    return fmt::format("connection {}: {} failed: {}, after byte {} of its stream", index, what,
                       ioring::tools::error_text(ioring::error_of(res)), with_commas(position));
}

}  // namespace

generator::generator(const settings& asked, ioring::ring ring,
                     std::vector<ioring::endpoint> addresses, ioring::tools::stop_signals& stop,
                     ioring::tools::status_line& progress)
    : ring_{std::move(ring)},
      stop_{stop},
      progress_{progress},
      world_{.asked = asked,
             .ring = ring_,
             .content = pattern{*asked.seed},
             .peers = std::vector<connection>(asked.connections),
             .found = {}},
      journal_{asked.connections, asked.depth},
      sender_{world_, journal_},
      receiver_{ring_, asked.connections, asked.size_bytes * asked.depth, asked.own_buffers},
      checker_{world_, journal_},
      connector_{world_, std::move(addresses)},
      unclosed_{asked.connections},
      look_interval_ns_{
          std::clamp<std::int64_t>(asked.timeout.count() / 4, 1'000'000, 250'000'000)} {
    for (std::uint32_t index = 0; index < world_.peers.size(); ++index) {
        world_.peers[index].key = world_.content.stream_key(index);
        world_.peers[index].message_end = asked.size_bytes;
    }
    to_arm_.reserve(world_.peers.size());
    world_.found.seed = *asked.seed;
    world_.found.backend = ring_.backend_info().name;
    world_.found.receive = receiver_.description();
    stop_.attach(ring_);
}

generator::~generator() {
    stop_.detach(ring_);
    for (connection& peer : world_.peers) {
        if (peer.socket.valid()) ring_.close_now(peer.socket);
    }
    ring_ = ioring::ring{};
}

results generator::run() {
    begin_ns_ = now_ = now_ns();
    next_look_ns_ = now_ + look_interval_ns_;
    next_progress_ns_ = now_ + progress_interval_ns;
    connect_more();
    while (stage_ != stage::over) turn();
    progress_.clear();
    return std::move(world_.found);
}

void generator::turn() {
    // Those that the queue had no room for are submitted with the rest, without waiting.
    const bool loading = stage_ != stage::connecting;
    const bool more_to_do = (loading && sender_.waiting()) || !to_arm_.empty();
    const std::int64_t wait_ns = more_to_do ? 0 : std::max<std::int64_t>(next_time_ns() - now_, 0);
    // One at least, also without waiting: only then does the ring look for what has completed.
    const int result = ring_.submit_and_wait(/*min_complete=*/1, std::chrono::nanoseconds{wait_ns});
    if (!is_transient(result)) {
        throw std::runtime_error{"the ring failed: " +
                                 ioring::tools::error_text(ioring::error_of(result))};
    }
    ++turns_;
    now_ = now_ns();
    for (const ioring::cqe& done : ring_.completions()) dispatch(done);
    receiver_.publish();
    advance();
    arm_receives();
    connect_more();
    if (stage_ != stage::connecting) {
        const std::int64_t now = now_ns();
        sender_.pace(now);
        sender_.pump(now);
    }
}

std::int64_t generator::next_time_ns() const noexcept {
    std::int64_t next = next_look_ns_;
    if (progress_.live()) next = std::min(next, next_progress_ns_);
    switch (stage_) {
        case stage::connecting: return std::min(next, connector_.next_time_ns());
        case stage::warming: return std::min({next, measure_begin_ns_, sender_.next_due_ns()});
        case stage::measuring: return std::min({next, measure_end_ns_, sender_.next_due_ns()});
        case stage::draining: return std::min(next, drain_end_ns_);
        case stage::over: break;
    }
    return next;
}

void generator::dispatch(const ioring::cqe& done) {
    const auto [kind, index, unused] = ioring::user_data::decode<op>(done.user_data);
    if (kind == op::cancel) return;
    connection& peer = world_.peers[index];
    switch (kind) {
        case op::connect: on_connect(peer, index, done); break;
        case op::receive: on_receive(peer, index, done); break;
        case op::send: on_send(peer, index, done); break;
        case op::cancel: break;
    }
    if (peer.phase == phase::closing) settle(peer);
}

void generator::on_connect(connection& peer, std::uint32_t index, const ioring::cqe& done) {
    switch (connector_.completed(peer, index, done.res, now_)) {
        case connector::outcome::connected:
            ++world_.found.connected;
            to_arm_.push_back(index);
            finish_if_drained(peer);  // When the run was stopped meanwhile.
            break;
        case connector::outcome::again: break;
        case connector::outcome::failed: give_up_connecting(peer); break;
    }
}

void generator::on_receive(connection& peer, std::uint32_t index, const ioring::cqe& done) {
    if (!done.more()) peer.receiving = false;
    const std::span<const std::byte> bytes = receiver_.take(done, index);
    if (!bytes.empty()) {
        if (peer.phase != phase::closing) {
            peer.progress_ns = now_;
            std::string problem = checker_.take(peer, index, bytes, now_);
            if (!problem.empty()) give_up(peer, failure::mismatch, std::move(problem));
            if (peer.phase == phase::open) sender_.offer(peer, index);
            finish_if_drained(peer);
        }
        receiver_.give_back(bytes);
    }
    if (peer.phase == phase::closing || peer.receiving) return;
    if (done.res > 0 || done.res == -ENOBUFS || is_passing(done.res)) {
        to_arm_.push_back(index);
    } else if (done.res == 0) {
        on_end_of_stream(peer, index);
    } else {
        give_up(peer, failure::broken,
                transfer_error(index, "receive", done.res, peer.bytes_received));
    }
}

void generator::on_end_of_stream(connection& peer, std::uint32_t index) {
    if (peer.phase == phase::finishing) {
        peer.phase = phase::closing;  // As it should be: everything was back before.
        return;
    }
    give_up(peer, failure::closed_early,
            fmt::format("connection {}: the server ended the stream after byte {}, {} bytes that "
                        "were sent are missing",
                        index, with_commas(peer.bytes_received),
                        with_commas(peer.bytes_sent - peer.bytes_received)));
}

void generator::on_send(connection& peer, std::uint32_t index, const ioring::cqe& done) {
    if (is_passing(done.res)) {
        sender_.completed(peer, index, /*done_bytes=*/0);  // Once more, if it still matters.
        return;
    }
    if (done.res < 0) {
        sender_.release(peer);
        if (peer.phase == phase::closing) return;
        give_up(peer, failure::broken,
                transfer_error(index, "send", done.res, peer.bytes_received));
        return;
    }
    peer.progress_ns = now_;
    sender_.completed(peer, index, static_cast<std::uint32_t>(done.res));
    finish_if_drained(peer);
}

void generator::arm_receives() noexcept {
    while (!to_arm_.empty()) {
        const std::uint32_t index = to_arm_.back();
        connection& peer = world_.peers[index];
        const bool wanted = peer.phase == phase::open || peer.phase == phase::finishing;
        if (wanted && !receiver_.arm(peer, index)) return;
        to_arm_.pop_back();
    }
}

void generator::connect_more() {
    while (const std::optional<std::uint32_t> failed = connector_.pump(now_)) {
        give_up_connecting(world_.peers[*failed]);
        settle(world_.peers[*failed]);
    }
}

}  // namespace load
