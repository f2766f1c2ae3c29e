// SPDX-License-Identifier: MIT
// iocp_kernel.hpp - the engine of a user-space kernel on a system that tells of completion.
//
// A receive, send or connect is begun at once and belongs to the system until its packet comes; one
// a socket and direction is begun, the others wait behind it. Operations that must not take bytes
// or memory before they have something to put into it (multishot, buffer groups, peeks) wait for
// readiness first, by a receive of no bytes. Accepts are a listener's: several are pending while
// operations wait for connections, and none is tied to one of them.
//
// All that is Windows' own is behind `system`; this runs anywhere, over a test's.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <system_error>

#include "backend/emulation/user_kernel.hpp"
#include "backend/iocp/flights.hpp"
#include "backend/iocp/system.hpp"

namespace ioring::backends::iocp {

class iocp_kernel : public emulation::user_kernel {
public:
    // Accepts that are pending on a listener at most.
    static constexpr std::uint32_t accepts_max = 16;
    // What one socket and direction may do before others get their turn.
    static constexpr int operations_turn_max = 16;
    static constexpr int shots_turn_max = 32;
    // How long the end waits for the system to let go of what is pending; then memory is leaked.
    static constexpr std::int64_t landing_timeout_ns = 2'000'000'000;

    explicit iocp_kernel(std::unique_ptr<system> below) noexcept : system_{std::move(below)} {}
    ~iocp_kernel() override;

    // Errors: not_enough_memory, too_many_files_open.
    [[nodiscard]] std::error_code set_up(const backend_options& options) noexcept;

    // Calls that the system has in hand, and closed sockets that wait for some. For tests.
    [[nodiscard]] std::uint32_t pending() const noexcept { return pool_.pending(); }

protected:
    void describe(std::string text) noexcept { description_ = std::move(text); }

private:
    using outcome = emulation::outcome;
    using withdrawal = emulation::withdrawal;

    // emulation::user_kernel
    [[nodiscard]] bool start(operation& op) noexcept final;
    [[nodiscard]] withdrawal withdraw(operation& op) noexcept final;
    [[nodiscard]] operation* first_on(std::int32_t fd) noexcept final;
    int close_descriptor(std::int32_t fd) noexcept final;
    int shut_down(std::int32_t fd, std::uint32_t how) noexcept final;
    [[nodiscard]] bool is_open(std::int32_t fd) noexcept final;
    int progress(std::int64_t timeout_ns) noexcept final;
    [[nodiscard]] bool has_more() const noexcept final { return listed_ != nullptr; }
    void interrupt() noexcept final { system_->post(); }
    void abandon_descriptors() noexcept final {}
    int attach_socket(std::int32_t fd) noexcept final;
    int attach_buffer(std::uint32_t slot, const kernel_buffer& memory) noexcept final {
        return system_->attach_buffer(slot, memory.data, memory.bytes);
    }
    int detach_buffer(std::uint32_t slot) noexcept final { return system_->detach_buffer(slot); }
    int abort_attached() noexcept final;

    // Sockets (sockets.cpp).
    [[nodiscard]] socket_state* known(std::int32_t fd) noexcept;
    [[nodiscard]] socket_state* state_of(std::int32_t fd, std::int32_t& error) noexcept;
    void detach(socket_state& of) noexcept;
    void discard_ready(socket_state& of) noexcept;
    void settle(socket_state& of) noexcept;
    int close_number(std::int32_t fd) noexcept;
    [[nodiscard]] bool start_close(operation& op) noexcept;
    void open_socket(operation& op) noexcept;
    [[nodiscard]] std::int32_t call_on(const sqe& asked) noexcept;
    [[nodiscard]] bool start_connect(operation& op, socket_state& of) noexcept;
    void land_connect(socket_state& of, operation& op, std::int32_t res) noexcept;

    // Queues and packets (iocp_kernel.cpp).
    [[nodiscard]] bool start_queued(operation& op, socket_state& of) noexcept;
    void run_queue(socket_state& of, bool writes) noexcept;
    [[nodiscard]] outcome attempt(operation& op, socket_state& of) noexcept;
    void land(flight& done) noexcept;
    void land_transfer(socket_state& of, bool writes, operation& op, std::int32_t res) noexcept;
    void add_again(socket_state& of) noexcept;
    void run_again() noexcept;
    [[nodiscard]] withdrawal cancel_flight(flight& of) noexcept;
    void land_all(std::int64_t timeout_ns) noexcept;

    // Transfers (transfers.cpp).
    [[nodiscard]] outcome begin_receive(operation& op, socket_state& of) noexcept;
    [[nodiscard]] outcome received(operation& op, socket_state& of, std::int32_t res) noexcept;
    [[nodiscard]] outcome receive_now(operation& op, socket_state& of) noexcept;
    [[nodiscard]] outcome receive_selected(operation& op, socket_state& of) noexcept;
    [[nodiscard]] std::int32_t take(socket_state& of, std::byte* data, std::uint32_t bytes,
                                    std::uint32_t msg_flags) noexcept;
    [[nodiscard]] outcome await_readable(socket_state& of) noexcept;
    [[nodiscard]] outcome begin_send(operation& op, socket_state& of) noexcept;
    [[nodiscard]] outcome sent(operation& op, socket_state& of, std::int32_t res) noexcept;
    [[nodiscard]] outcome refused_or_sent(operation& op, socket_state& of,
                                          std::int32_t res) noexcept;
    static void note_reset(socket_state& of) noexcept;
    [[nodiscard]] static std::int32_t of_socket(socket_state& of, std::int32_t res) noexcept;
    [[nodiscard]] bool is_no_connection(socket_state& of) noexcept;
    [[nodiscard]] outcome refuse_memory(const operation& op) const noexcept;

    // In several pieces (messages.cpp).
    [[nodiscard]] static bool has_pieces(const sqe& asked) noexcept;
    [[nodiscard]] static std::uint64_t bytes_wanted(const operation& op) noexcept;
    [[nodiscard]] outcome receive_message(operation& op, socket_state& of) noexcept;
    [[nodiscard]] outcome receive_message_now(operation& op, socket_state& of,
                                              message& got) noexcept;
    [[nodiscard]] outcome begin_message(operation& op, socket_state& of) noexcept;

    // Accepting (accepts.cpp).
    [[nodiscard]] bool start_accept(operation& op, socket_state& of) noexcept;
    void run_accepts(socket_state& of) noexcept;
    [[nodiscard]] bool begin_accept(socket_state& of) noexcept;
    void land_accept(flight& done, std::int32_t res) noexcept;
    void serve(socket_state& of) noexcept;
    void trim(socket_state& of) noexcept;
    void fail_first(socket_state& of, std::int32_t error) noexcept;
    void remove_accept(socket_state& of, operation& op) noexcept;
    [[nodiscard]] std::int32_t hand_over(socket_state& of, socket_handle accepted,
                                         const sqe& asked) noexcept;

    // Polls (polls.cpp).
    [[nodiscard]] bool start_poll(operation& op, socket_state& of) noexcept;
    [[nodiscard]] bool tell(operation& op, std::int32_t mask) noexcept;
    [[nodiscard]] std::int32_t begin_poll(operation& op, socket_state& of,
                                          std::uint32_t events) noexcept;
    [[nodiscard]] std::int32_t arm_poll(operation& op, socket_state& of,
                                        std::uint32_t events) noexcept;
    void land_poll(socket_state& of, operation& op, std::int32_t mask,
                   std::uint32_t events) noexcept;
    void forget_poll(operation& op, socket_state& of) noexcept;
    void tell_taken(socket_state& of) noexcept;
    void look_again() noexcept;

    static constexpr std::size_t packets_max = 256;

    std::unique_ptr<system> system_;
    flight_pool pool_;
    state_table states_;
    socket_state* listed_ = nullptr;  // Go on at the next turn, by `next`.
    socket_state* listed_last_ = nullptr;
    emulation::growing_array<operation*> edges_;  // Multishot polls whose events are there.
    std::uint32_t edges_count_ = 0;
    std::int32_t name_ = -1;
    std::array<packet, packets_max> packets_{};
};

}  // namespace ioring::backends::iocp
