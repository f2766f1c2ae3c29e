// SPDX-License-Identifier: MIT
// sender.hpp - decides which messages start when, and sends them: one send a connection and turn.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "clock.hpp"
#include "journal.hpp"
#include "send_buffers.hpp"
#include "world.hpp"

namespace load {

class sender {
public:
    sender(world& shared, journal& times);

    // Lets the connections in `order` send from `now` on.
    void begin(std::vector<std::uint32_t> order, std::int64_t now);
    // Counting begins: messages that start, or by the schedule are due, from now on are measured.
    void begin_measuring();
    // No further message starts. Those that were due before `end_ns` and had not are counted as
    // unsent, and, so that they are not omitted, in the latencies with the time they had waited.
    void stop(std::int64_t end_ns);

    // Open loop: makes due what is due at `now`.
    void pace(std::int64_t now);
    // When pace() has something to do next; never_ns in a closed loop and at its end.
    [[nodiscard]] std::int64_t next_due_ns() const noexcept;

    // Takes note that `peer` may have something to send.
    void offer(connection& peer, std::uint32_t index) {
        if (peer.listed || peer.sending) return;
        peer.listed = true;
        ready_.push_back(index);
    }
    // Prepares the sends of those offered, as far as the submission queue has room.
    void pump(std::int64_t now);
    [[nodiscard]] bool waiting() const noexcept { return !ready_.empty(); }
    // A send has ended with `done_bytes` sent; a rest of it is sent later.
    void completed(connection& peer, std::uint32_t index, std::uint32_t done_bytes) noexcept;
    // A send has ended with an error.
    void release(connection& peer) noexcept;
    // `peer` sends no more: what the schedule has given it is dropped.
    void forget(connection& peer) noexcept {
        if (peer.due <= peer.started) return;
        backlog_ -= peer.due - peer.started;
        peer.due = peer.started;
    }

    // --messages: all have been started.
    [[nodiscard]] bool exhausted() const noexcept { return left_ == 0 && backlog_ == 0; }
    [[nodiscard]] const schedule& plan() const noexcept { return plan_; }

private:
    static constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();
    static constexpr std::uint64_t send_bytes_max = 65'536;

    [[nodiscard]] bool may_start(const connection& peer) const noexcept;
    void start_messages(connection& peer, std::uint32_t index, std::int64_t now) noexcept;
    [[nodiscard]] bool prepare(connection& peer, std::uint32_t index, std::int64_t now);
    // Bytes of started messages that were not handed to the ring.
    [[nodiscard]] std::uint64_t pending_bytes(const connection& peer) const noexcept {
        return peer.started * world_.asked.size_bytes - peer.bytes_sent;
    }

    world& world_;
    journal& times_;
    send_buffers buffers_;
    std::vector<std::uint32_t> ready_;   // Connections that wait for their turn.
    std::vector<std::uint32_t> resend_;  // Short sends whose rest found no room in the queue.
    std::uint64_t left_ = unlimited;     // Messages that may still start, or become due.
    std::uint64_t backlog_ = 0;          // Messages that are due and have not started.
    bool stopped_ = false;

    schedule plan_;
    std::vector<std::uint32_t> order_;  // Who takes turns in the schedule.
    std::uint64_t next_message_ = 0;
    std::size_t next_place_ = 0;
};

}  // namespace load
