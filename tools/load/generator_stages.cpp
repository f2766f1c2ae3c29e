// SPDX-License-Identifier: MIT
// generator_stages.cpp - how a run goes from one stage to the next, and how connections end.
#include <algorithm>
#include <cstdio>
#include <string>

#include <fmt/core.h>

#include "common/number_text.hpp"
#include "generator.hpp"

namespace load {
namespace {

using ioring::tools::duration_text;
using ioring::tools::with_commas;

// After the last time-out of a drain, for what the system still has to end.
constexpr std::int64_t closing_ns = 1'000'000'000;
constexpr std::int64_t progress_interval_ns = 1'000'000'000;

}  // namespace

void generator::mark(const char* text) const {
    if (!world_.asked.marks) return;
    std::puts(text);
    std::fflush(stdout);
}

void generator::advance() {
    if (stop_.requested()) stop_by_signal();
    if (stage_ == stage::connecting && connector_.done()) start_load();
    if (stage_ == stage::warming && now_ >= measure_begin_ns_) begin_measuring();
    if (stage_ == stage::measuring &&
        (now_ >= measure_end_ns_ || sender_.exhausted() || unclosed_ == 0)) {
        stop_load();
    }
    if (stage_ == stage::draining) {
        if (journal_.in_flight() == 0) end_measuring();
        if (now_ >= drain_end_ns_) end_drain();
        if (unclosed_ == 0) stage_ = stage::over;
    }
    if (now_ >= next_look_ns_) look_for_stalls();
    if (progress_.live() && now_ >= next_progress_ns_) show_progress();
}

void generator::start_load() {
    world_.found.connect_seconds = static_cast<double>(now_ - begin_ns_) / 1e9;
    std::vector<std::uint32_t> order;
    for (std::uint32_t index = 0; index < world_.peers.size(); ++index) {
        if (world_.peers[index].phase == phase::open) order.push_back(index);
    }
    if (order.empty()) {
        stop_load();
        return;
    }
    const std::uint64_t turns = order.size();
    sender_.begin(std::move(order), now_);
    if (world_.asked.open_loop()) checker_.follow(sender_.plan(), turns);
    measure_begin_ns_ = now_ + world_.asked.warmup.count();
    stage_ = stage::warming;
}

void generator::begin_measuring() {
    mark("measuring");
    stage_ = stage::measuring;
    measure_begin_ns_ = shown_ns_ = now_;
    if (world_.asked.messages == 0) measure_end_ns_ = now_ + world_.asked.duration.count();
    usage_before_ = ioring::tools::usage_now();
    enters_before_ = ring_.counters().enters;
    turns_before_ = turns_;
    sender_.begin_measuring();
}

void generator::stop_load() {
    measured_ = stage_ != stage::measuring;  // Nothing was, and nothing will be.
    stage_ = stage::draining;
    stop_ns_ = now_;
    drain_end_ns_ = now_ + world_.asked.timeout.count();
    sender_.stop(std::min(now_, measure_end_ns_));
    for (connection& peer : world_.peers) finish_if_drained(peer);
}

void generator::end_measuring() {
    if (measured_) return;
    measured_ = true;
    const std::int64_t end_ns = std::max(stop_ns_, checker_.last_echo_ns());
    world_.found.seconds = static_cast<double>(end_ns - measure_begin_ns_) / 1e9;
    world_.found.usage = ioring::tools::usage_now() - usage_before_;
    world_.found.enters = ring_.counters().enters - enters_before_;
    world_.found.turns = turns_ - turns_before_;
    mark("measured");
}

void generator::stop_by_signal() {
    world_.found.interrupted = true;
    if (stop_.count() > 1) {  // The polite end took too long.
        if (stage_ < stage::draining) stop_load();
        end_measuring();
        stage_ = stage::over;
    }
    if (stage_ >= stage::draining) return;
    connector_.stop();
    for (std::uint32_t index = 0; index < world_.peers.size(); ++index) {
        connection& peer = world_.peers[index];
        if (peer.connecting) {
            connector_.expire(index);
        } else if (peer.phase == phase::waiting || peer.phase == phase::connecting) {
            peer.phase = phase::closing;
            settle(peer);
        }
    }
    stop_load();
}

void generator::give_up(connection& peer, failure kind, std::string sentence) {
    world_.found.fail(kind, std::move(sentence));
    journal_.forget(peer);
    sender_.forget(peer);
    peer.phase = phase::closing;
    ring_.shutdown_now(peer.socket, ioring::shutdown_how::both);
}

void generator::give_up_connecting(connection& peer) {
    peer.phase = phase::closing;
    if (connector_.stopped()) return;
    world_.found.fail(connector_.timed_out() ? failure::timed_out : failure::refused,
                      connector_.why());
}

void generator::finish_if_drained(connection& peer) noexcept {
    if (stage_ != stage::draining || peer.phase != phase::open) return;
    if (peer.in_flight() != 0 || peer.sending) return;
    peer.phase = phase::finishing;
    peer.progress_ns = now_;
    ring_.shutdown_now(peer.socket, ioring::shutdown_how::write);
}

void generator::settle(connection& peer) noexcept {
    if (peer.phase != phase::closing || peer.busy()) return;
    if (peer.socket.valid()) ring_.close_now(peer.socket);
    peer.socket = {};
    peer.phase = phase::closed;
    --unclosed_;
}

void generator::look_for_stalls() {
    next_look_ns_ = now_ + look_interval_ns_;
    for (std::uint32_t index = 0; index < world_.peers.size(); ++index) {
        connection& peer = world_.peers[index];
        const bool late = now_ - peer.progress_ns > world_.asked.timeout.count();
        if (peer.connecting) {
            if (late || connector_.stopped()) connector_.expire(index);
        } else if (late && peer.phase == phase::open && (peer.in_flight() > 0 || peer.sending)) {
            give_up(peer, failure::timed_out,
                    fmt::format("connection {}: nothing moved for {}, {} of the bytes sent have "
                                "not come back after byte {} of its stream",
                                index, duration_text(world_.asked.timeout),
                                with_commas(peer.bytes_sent - peer.bytes_received),
                                with_commas(peer.bytes_received)));
        } else if (late && peer.phase == phase::finishing) {
            give_up(peer, failure::timed_out,
                    fmt::format("connection {}: the server did not end the stream within {} of "
                                "ours, although all {} bytes came back",
                                index, duration_text(world_.asked.timeout),
                                with_commas(peer.bytes_received)));
        }
        settle(peer);
    }
}

void generator::end_drain() {
    if (drain_ended_) {  // What is left will not end: the ring's own end deals with it.
        stage_ = stage::over;
        return;
    }
    drain_ended_ = true;
    drain_end_ns_ = now_ + world_.asked.timeout.count() + closing_ns;
    for (std::uint32_t index = 0; index < world_.peers.size(); ++index) {
        connection& peer = world_.peers[index];
        if (peer.phase == phase::open) {
            give_up(peer, failure::timed_out,
                    fmt::format("connection {}: {} of the bytes sent had not come back {} after "
                                "the last message was started",
                                index, with_commas(peer.bytes_sent - peer.bytes_received),
                                duration_text(world_.asked.timeout)));
        }
        settle(peer);
    }
    end_measuring();
}

void generator::show_progress() {
    next_progress_ns_ = now_ + progress_interval_ns;
    const results& found = world_.found;
    const std::string errors =
        found.passed() ? "" : fmt::format("  {} FAILED", found.failures_total());
    if (stage_ == stage::connecting) {
        progress_.show(fmt::format("connected {} of {}{}", with_commas(found.connected),
                                   with_commas(std::uint64_t{world_.peers.size()}), errors));
        return;
    }
    if (stage_ == stage::warming) {
        progress_.show("warming up" + errors);
        return;
    }
    const auto percentile = [&found](double percent) {
        return duration_text(std::chrono::nanoseconds{found.latency.percentile_ns(percent)});
    };
    const double interval_s = static_cast<double>(now_ - shown_ns_) / 1e9;
    const double rate = static_cast<double>(found.messages - shown_messages_) / interval_s;
    progress_.show(fmt::format("{:.0f} s  {} messages  {}/s  p50 {}  p99 {}{}",
                               static_cast<double>(now_ - measure_begin_ns_) / 1e9,
                               with_commas(found.messages), with_commas(rate), percentile(50),
                               percentile(99), errors));
    shown_messages_ = found.messages;
    shown_ns_ = now_;
}

}  // namespace load
