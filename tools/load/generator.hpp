// SPDX-License-Identifier: MIT
// generator.hpp - the load itself: connects, sends, verifies, measures and ends, in one loop.
//
// A run goes through stages: connecting, warming up, measuring, draining (no message starts any
// more, every echo is awaited), and over. A connection that is drained is half-closed, read to its
// end and closed. Every wait has an end: a connection without progress is given up after
// settings::timeout, a drain as a whole as well, and so is the closing.
//
// Turns: one wait, which submits; then everything that completed is verified and timed; then one
// send is prepared for each connection that has something to send. Time is taken once before the
// first part and once before the second, so that latencies contain the generator's own work in a
// turn and are never too small.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checker.hpp"
#include "common/stop_signals.hpp"
#include "common/terminal.hpp"
#include "connector.hpp"
#include "ioring/endpoint.hpp"
#include "journal.hpp"
#include "receiver.hpp"
#include "sender.hpp"
#include "world.hpp"

namespace load {

class generator {
public:
    // Throws std::bad_alloc. `progress` shows the live line.
    generator(const settings& asked, ioring::ring ring, std::vector<ioring::endpoint> addresses,
              ioring::tools::stop_signals& stop, ioring::tools::status_line& progress);
    generator(const generator&) = delete;
    generator& operator=(const generator&) = delete;
    // Memory that operations may use outlives the ring.
    ~generator();

    // Once. Throws std::runtime_error when the ring itself fails.
    results run();

private:
    enum class stage : std::uint8_t { connecting, warming, measuring, draining, over };

    void turn();
    [[nodiscard]] std::int64_t next_time_ns() const noexcept;

    void dispatch(const ioring::cqe& done);
    void on_connect(connection& peer, std::uint32_t index, const ioring::cqe& done);
    void on_receive(connection& peer, std::uint32_t index, const ioring::cqe& done);
    void on_send(connection& peer, std::uint32_t index, const ioring::cqe& done);
    void on_end_of_stream(connection& peer, std::uint32_t index);
    void connect_more();
    void arm_receives() noexcept;

    void advance();
    void start_load();
    // --marks: for a program that measures the server meanwhile.
    void mark(const char* text) const;
    void begin_measuring();
    void stop_load();
    void end_measuring();
    void stop_by_signal();

    void give_up(connection& peer, failure kind, std::string sentence);
    void give_up_connecting(connection& peer);
    void finish_if_drained(connection& peer) noexcept;
    // Closes `peer` when it is to be closed and nothing is in flight on it.
    void settle(connection& peer) noexcept;
    void look_for_stalls();
    void end_drain();
    void show_progress();

    ioring::ring ring_;
    ioring::tools::stop_signals& stop_;
    ioring::tools::status_line& progress_;
    world world_;
    journal journal_;
    sender sender_;
    receiver receiver_;
    checker checker_;
    connector connector_;

    stage stage_ = stage::connecting;
    std::uint64_t unclosed_;             // Connections that are not closed.
    std::vector<std::uint32_t> to_arm_;  // Connections that want a receive prepared.

    std::int64_t now_ = 0;  // Of this turn.
    std::int64_t begin_ns_ = 0;
    std::int64_t measure_begin_ns_ = never_ns;
    std::int64_t measure_end_ns_ = never_ns;
    std::int64_t stop_ns_ = 0;
    std::int64_t drain_end_ns_ = never_ns;
    std::int64_t look_interval_ns_;
    std::int64_t next_look_ns_ = 0;
    bool drain_ended_ = false;  // Those that had not come back were given up.
    bool measured_ = false;     // The measured part has been and is over.

    ioring::tools::usage usage_before_;
    std::uint64_t enters_before_ = 0;
    std::uint64_t turns_ = 0;
    std::uint64_t turns_before_ = 0;

    std::int64_t next_progress_ns_ = 0;
    std::uint64_t shown_messages_ = 0;  // When the live line was shown last,
    std::int64_t shown_ns_ = 0;         // and when that was.
};

}  // namespace load
