// SPDX-License-Identifier: MIT
// readiness_kernel.hpp - the engine of a user-space kernel on a system that tells of readiness.
//
// Each operation's system call is tried at once. What would block is parked on its descriptor, in a
// queue a direction, and tried again when the poller has an event. All but the poller is here; a
// readiness_backend<Poller> adds that.
#pragma once

#include <array>
#include <cstdint>

#include "backend/emulation/outcome.hpp"
#include "backend/emulation/user_kernel.hpp"
#include "backend/readiness/descriptors.hpp"
#include "backend/readiness/poller.hpp"

namespace ioring::backends::readiness {

class readiness_kernel : public emulation::user_kernel {
public:
    // What one descriptor and direction may do before others get their turn: operations, and
    // completions of one multishot operation (io_uring's number).
    static constexpr int operations_turn_max = 16;
    static constexpr int shots_turn_max = 32;
    // Bytes that all of them receive in a turn: what the program sends on is then still in the
    // processor's cache.
    static constexpr std::uint64_t turn_bytes_max = 65'536;
    // Receives that a turn of few, long ones leaves over wait behind new ones, whose buffers are in
    // the cache, so many turns at most; and for so many receives the poller is not asked for more.
    static constexpr int newer_turns_max = 8;
    static constexpr int receives_a_look = 8;

protected:
    // `hears_changes`: the poller's; see poller.hpp.
    explicit readiness_kernel(bool hears_changes) noexcept : hears_changes_{hears_changes} {}

    // The poller's (poller.hpp).
    [[nodiscard]] virtual bool reserve(std::int32_t fd) noexcept = 0;
    virtual void arm(std::int32_t fd, std::uint8_t directions, arming how) noexcept = 0;
    virtual void forget(std::int32_t fd) noexcept = 0;
    [[nodiscard]] virtual int wait_for_events(std::span<ready_event> events,
                                              std::int64_t timeout_ns) noexcept = 0;

private:
    using outcome = emulation::outcome;

    // emulation::user_kernel
    [[nodiscard]] bool start(operation& op) noexcept final;
    [[nodiscard]] emulation::withdrawal withdraw(operation& op) noexcept final;
    [[nodiscard]] operation* first_on(std::int32_t fd) noexcept final;
    int close_descriptor(std::int32_t fd) noexcept final;
    int shut_down(std::int32_t fd, std::uint32_t how) noexcept final;
    [[nodiscard]] bool is_open(std::int32_t fd) noexcept final;
    int progress(std::int64_t timeout_ns) noexcept final;
    void look(std::span<const ready_event> found) noexcept;
    [[nodiscard]] bool has_more() const noexcept final { return table_.again_count() != 0; }

    // Queues and events (readiness_kernel.cpp).
    [[nodiscard]] bool start_queued(operation& op, std::uint8_t which) noexcept;
    [[nodiscard]] bool park(operation& op, std::uint8_t which) noexcept;
    void on_event(std::int32_t fd, std::uint8_t directions, std::int32_t error_hint) noexcept;
    void run_queue(std::int32_t fd, std::uint8_t which) noexcept;
    void run_again() noexcept;
    [[nodiscard]] outcome attempt(operation& op) noexcept;
    void note_received(std::uint32_t bytes) noexcept {
        turn_bytes_ += bytes;
        ++receives_unasked_;
        ++turn_receives_;
    }
    [[nodiscard]] bool has_bytes_left() const noexcept { return turn_bytes_ < turn_bytes_max; }
    [[nodiscard]] bool is_turn_of_left_over() const noexcept {
        return has_more() && (newer_turns_ >= newer_turns_max || turn_before_ >= receives_a_look);
    }
    [[nodiscard]] descriptor* watch(std::int32_t fd) noexcept;
    void note_short_receive(std::int32_t fd) noexcept;
    [[nodiscard]] bool is_drained(std::int32_t fd) noexcept;
    void greet(std::int32_t fresh_fd) noexcept;

    // Transfers (transfers.cpp).
    [[nodiscard]] outcome try_receive(operation& op) noexcept;
    [[nodiscard]] bool ends_by_data_only(const operation& op) noexcept;
    [[nodiscard]] outcome try_receive_selected(operation& op) noexcept;
    [[nodiscard]] outcome try_receive_message(operation& op) noexcept;
    [[nodiscard]] outcome try_send(operation& op) noexcept;
    [[nodiscard]] outcome try_send_pieces(operation& op) noexcept;
    [[nodiscard]] outcome try_fixed(operation& op) noexcept;
    [[nodiscard]] static outcome transferred(operation& op, std::int32_t res,
                                             std::uint64_t wanted) noexcept;

    // Sockets (sockets.cpp).
    [[nodiscard]] outcome try_accept(operation& op) noexcept;
    [[nodiscard]] bool start_connect(operation& op) noexcept;
    void continue_connect(std::int32_t fd, std::int32_t error_hint) noexcept;
    void end_connect(operation& op, std::int32_t res) noexcept;

    // Polls (polls.cpp).
    [[nodiscard]] bool start_poll(operation& op) noexcept;
    void run_polls(std::int32_t fd) noexcept;
    void arm_poll(const operation& op) noexcept;

    static constexpr std::size_t events_max = 256;

    const bool hears_changes_;
    descriptor_table table_;
    std::uint64_t turn_bytes_ = 0;  // Received in this turn.
    int newer_turns_ = 0;           // In a row that had no share for what was left over.
    int receives_unasked_ = 0;      // That got something since the poller was asked.
    int turn_receives_ = 0;         // That got something in this turn ...
    int turn_before_ = 0;           // ... and in the one before.
    std::array<ready_event, events_max> events_{};
};

}  // namespace ioring::backends::readiness
