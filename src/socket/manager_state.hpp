// SPDX-License-Identifier: MIT
// manager_state.hpp - everything of a socket_manager: its table of sockets, its lists, its turn.
//
// A turn is: settle what was touched (arm receives, sends, cancels), one enter, read completions,
// let time pass, deliver events. Completions and calls of the program only change a socket's state
// through apply(), which runs the close protocol's table; what that allows is done by settle().
// Whatever finds the submission queue full stays in the list of dirty sockets.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "ioring/buffer_pool.hpp"
#include "ioring/ring.hpp"
#include "ioring/socket_manager.hpp"
#include "ioring/user_data.hpp"
#include "socket/block_pool.hpp"
#include "socket/chunk_source.hpp"
#include "socket/close_table.hpp"
#include "socket/listeners.hpp"
#include "socket/records.hpp"
#include "socket/timer_wheel.hpp"

namespace ioring::detail {

class manager_state {
public:
    [[nodiscard]] static std::error_code create(ring& owner, const manager_options& options,
                                                std::unique_ptr<manager_state>& out,
                                                std::string* why) noexcept;
    manager_state(ring& owner, const manager_options& options) noexcept;
    manager_state(const manager_state&) = delete;
    manager_state& operator=(const manager_state&) = delete;
    ~manager_state();

    // --- socket_manager's calls (manager_turn.cpp, manager_connect.cpp) ---
    [[nodiscard]] std::size_t poll(std::span<socket_event> out,
                                   std::chrono::nanoseconds timeout) noexcept;
    [[nodiscard]] std::span<const socket_event> poll(std::chrono::nanoseconds timeout) noexcept {
        return {own_events_.get(), poll({own_events_.get(), options_.events_max}, timeout)};
    }
    [[nodiscard]] std::error_code listen(const endpoint& address, const listen_options& options,
                                         listener_id& out, std::string* why) noexcept;
    bool close_listener(listener_id id) noexcept;
    [[nodiscard]] endpoint local_endpoint(listener_id id) const noexcept;
    [[nodiscard]] std::error_code connect(const endpoint& peer, socket*& out) noexcept;
    [[nodiscard]] socket* find(socket_id which) noexcept;
    drain_report drain(std::chrono::nanoseconds timeout) noexcept;
    [[nodiscard]] socket_manager::timer_id start_timer(std::chrono::nanoseconds delay,
                                                       std::uint64_t user_data) noexcept;
    bool cancel_timer(socket_manager::timer_id which) noexcept;
    [[nodiscard]] std::uint32_t size() const noexcept { return in_use_; }
    [[nodiscard]] std::error_code error() const noexcept { return error_; }
    [[nodiscard]] const manager_counters& counters() const noexcept { return counters_; }
    [[nodiscard]] manager_usage usage() const noexcept;

    // --- socket's calls; `at` is one of this manager's (socket.cpp) ---
    [[nodiscard]] std::uint32_t slot_of(const socket& at) const noexcept {
        return static_cast<std::uint32_t>(&at - sockets_);
    }
    [[nodiscard]] cold_state& cold_of(const socket& at) const noexcept {
        return cold_[slot_of(at)];
    }
    [[nodiscard]] static close_phase phase_of(const socket& at) noexcept {
        return static_cast<close_phase>(at.phase_);
    }
    [[nodiscard]] std::span<const std::byte> readable(const socket& at) const noexcept;
    void consume(socket& at, std::size_t bytes) noexcept;
    [[nodiscard]] std::size_t write(socket& at, std::span<const std::byte> bytes) noexcept;
    [[nodiscard]] std::span<std::byte> writable(socket& at, std::size_t least) noexcept;
    void commit_write(socket& at, std::size_t bytes) noexcept;
    [[nodiscard]] std::size_t forward(socket& from, socket& to, std::size_t bytes) noexcept;
    void notify_drained(socket& at) noexcept;
    void finish(socket& at) noexcept;
    void set_paused(socket& at, bool paused) noexcept;
    void close(socket& at, close_reason why) noexcept;
    void abort(socket& at, close_reason why, int error = 0) noexcept;
    void finish_handshake(socket& at) noexcept;

private:
    static constexpr std::uint32_t none = ~std::uint32_t{0};
    // While receives find no chunk, those that hold some for long are looked for this often.
    static constexpr std::chrono::milliseconds relief_period{50};
    // Memory for the bytes of connections that do not move, so that others get chunks.
    static constexpr std::uint64_t owned_bytes_max = 64U << 20U;
    // A copy of so many bytes costs less than a send.
    static constexpr std::uint32_t copied_bytes_max = 1024;
    // For the last completions of what was cancelled; then it is cancelled again.
    static constexpr std::chrono::milliseconds ending_timeout{500};
    // So long no turn may have been late before connections are accepted again.
    static constexpr std::chrono::milliseconds lag_period{50};

    // --- the turn (manager_turn.cpp) ---
    [[nodiscard]] bool turn(std::chrono::nanoseconds timeout) noexcept;
    void begin_turn() noexcept;
    static constexpr std::uint64_t ns_per_tick = 1'000'000;

    void read_clock() noexcept;
    void run_until_empty(std::uint64_t deadline_ns, std::uint64_t wakes_max) noexcept;
    [[nodiscard]] bool may_not_sleep() const noexcept;
    [[nodiscard]] bool has_events() const noexcept;
    [[nodiscard]] std::chrono::nanoseconds wait_time(std::uint64_t deadline_ns) const noexcept;
    void reap() noexcept;
    void dispatch(const cqe& done) noexcept;
    std::size_t deliver(std::span<socket_event> out) noexcept;
    std::size_t deliver_others(std::span<socket_event> out) noexcept;
    std::size_t deliver_of(socket& at, std::span<socket_event> out) noexcept;
    void mark_dirty(socket& at) noexcept;
    void announce(socket& at, std::uint16_t events) noexcept;

    // --- connections (manager_connect.cpp) ---
    [[nodiscard]] socket* take_slot(fd descriptor) noexcept;
    void free_slot(socket& at) noexcept;
    void arm_accepts() noexcept;
    void arm_accepts_of(listener_slot& which, std::uint32_t slot) noexcept;
    void accepted(std::uint32_t slot, std::uint32_t generation, const cqe& done) noexcept;
    void adopt(fd descriptor, listener_id from) noexcept;
    void refuse(fd descriptor) noexcept;
    void pause_accepts(listener_slot& which, std::uint32_t slot, int error) noexcept;
    void shed(listener_slot& which, std::uint32_t slot) noexcept;
    void shed_done(std::uint32_t slot, const cqe& done) noexcept;
    void keep_reserve() noexcept;
    void connected(socket& at, const cqe& done) noexcept;
    void stop_listening() noexcept;
    void tell_pause(listener_slot& which, int error) noexcept;
    void resume_accepts() noexcept;

    // --- too much to do already (manager_overload.cpp) ---
    void note_lag() noexcept;
    [[nodiscard]] int overload() noexcept;
    void hold_accepts(listener_slot& which, std::uint32_t slot, int error) noexcept;
    void end_accepts(listener_slot& which, std::uint32_t slot) noexcept;
    void lag_is_over() noexcept;

    // --- the close protocol at work (manager_close.cpp) ---
    void apply(socket& at, close_event event) noexcept;
    void act(socket& at, std::uint16_t actions) noexcept;
    void tell_drained(socket& at) noexcept;
    void close_descriptor(socket& at) noexcept;
    void note_end(socket& at, close_reason why, int error = 0) noexcept;
    void fail(socket& at, close_event event, int error) noexcept;
    [[nodiscard]] bool settle(socket& at) noexcept;
    [[nodiscard]] bool settle_cancels(socket& at) noexcept;
    [[nodiscard]] bool prepare_cancel(socket& at, op_kind target, op_kind name,
                                      std::uint32_t flag) noexcept;
    void settle_dirty() noexcept;
    [[nodiscard]] std::uint64_t tag(op_kind what, const socket& at) const noexcept {
        return user_data{what, slot_of(at), at.generation_};
    }

    // --- what came (manager_receive.cpp) ---
    [[nodiscard]] bool settle_receive(socket& at) noexcept;
    [[nodiscard]] bool wants_receive(const socket& at) const noexcept;
    [[nodiscard]] const sqe* prepare_receive(socket& at) noexcept;
    [[nodiscard]] const sqe* prepare_polled_receive(socket& at) noexcept;
    [[nodiscard]] std::span<std::byte> take_bytes(socket& at, const cqe& done) noexcept;
    void polled(socket& at, const cqe& done) noexcept;
    void received(socket& at, const cqe& done) noexcept;
    void keep_chunk(socket& at, std::span<std::byte> bytes) noexcept;
    [[nodiscard]] bool append_to_ring(socket& at, std::span<const std::byte> bytes) noexcept;
    void join_chunks(socket& at) noexcept;
    void pop_chunk(socket& at) noexcept;
    std::uint32_t unlink_chunk(socket& at) noexcept;
    void unref_chunk(std::uint32_t index) noexcept;
    void free_chunk(chunk_record& which) noexcept;
    void after_consumption(socket& at, bool moved_on) noexcept;
    void discard_unread(socket& at) noexcept;
    [[nodiscard]] bool attach_ring(socket& at) noexcept;
    void free_from_ring(std::uint32_t index, std::uint32_t bytes) noexcept;
    void settle_ring(std::uint32_t index) noexcept;
    void detach_ring(socket& at) noexcept;
    void settle_ring_of(socket& at) noexcept;
    [[nodiscard]] std::uint32_t ring_unread(const socket& at) const noexcept {
        return at.in_ == none ? 0 : unread_in(at.in_);
    }
    [[nodiscard]] std::uint32_t unread_in(std::uint32_t index) const noexcept;
    [[nodiscard]] std::uint32_t first_chunk_unread(const socket& at) noexcept {
        if (at.last_chunk_ == none) return 0;
        const chunk_record& first = chunks_[chunks_[at.last_chunk_].next];
        return first.bytes - first.read;
    }
    void starve(socket& at) noexcept;
    void feed_starved() noexcept;
    void own_unread(socket& at) noexcept;

    // --- what is to go (manager_send.cpp) ---
    [[nodiscard]] bool settle_send(socket& at) noexcept;
    void sent(socket& at, const cqe& done) noexcept;
    [[nodiscard]] static bool may_write(const socket& at) noexcept {
        return phase_of(at) == close_phase::open && (at.facts_ & close_fact::finishing) == 0;
    }
    [[nodiscard]] std::uint32_t room_of(const socket& at) const noexcept;
    [[nodiscard]] bool attach_out(socket& at) noexcept;
    static void end_room(const socket& at) noexcept;
    [[nodiscard]] piece_record* add_piece(socket& at) noexcept;
    void queued(socket& at, std::uint32_t bytes) noexcept;
    void progress(socket& at, std::uint32_t bytes) noexcept;
    void finish_piece(socket& at, std::uint32_t index) noexcept;
    void drop_unsent(socket& at) noexcept;
    void block(socket& at) noexcept;
    void unblock(socket& at) noexcept;
    [[nodiscard]] bool is_better_copied(const socket& to, std::uint32_t bytes) noexcept;
    void forward_chunk(socket& from, socket& to, std::uint32_t bytes) noexcept;
    void forward_ring(socket& from, socket& to, std::uint32_t bytes) noexcept;
    void own_pieces(socket& at) noexcept;
    [[nodiscard]] std::byte* own_memory(std::uint32_t bytes) noexcept;
    void wait_for_room(socket& from, socket& to) noexcept;
    void stop_waiting(socket& at) noexcept;
    void wake_waiters(socket& at) noexcept;

    // --- buffers of the pool ---
    [[nodiscard]] ring_buffer* borrow_buffer(socket& at) noexcept;
    void return_buffer(ring_buffer* buffer) noexcept;
    void feed_borrowers() noexcept;

    // --- time (manager_timers.cpp) ---
    void place_timers() noexcept;
    void pass_time() noexcept;
    void fired(std::uint64_t payload) noexcept;
    void socket_timer(socket& at) noexcept;
    void check_timeouts(socket& at) noexcept;
    [[nodiscard]] std::uint64_t next_timeout(const socket& at) const noexcept;
    void schedule(socket& at) noexcept;
    void set_deadline(socket& at) noexcept;
    void begin_open_timeouts(socket& at) noexcept;
    void relieve() noexcept;
    [[nodiscard]] std::uint64_t tick_after(std::chrono::milliseconds delay) const noexcept {
        return now_ + static_cast<std::uint64_t>(delay.count()) + 1;
    }

    [[nodiscard]] bool is_full_of_sockets() const noexcept {
        return in_use_ == options_.sockets_max;
    }
    [[nodiscard]] bool is_current(std::uint32_t slot, std::uint32_t generation) const noexcept {
        return slot < slots_used_ && sockets_[slot].generation_ == generation &&
               phase_of(sockets_[slot]) != close_phase::free;
    }

    ring& ring_;
    manager_options options_;
    socket* sockets_ = nullptr;  // Memory for sockets_max; those below slots_used_ exist.
    cold_state* cold_ = nullptr;
    std::uint32_t slots_used_ = 0;
    std::uint32_t in_use_ = 0;
    std::uint32_t free_slots_ = none;
    bool multishot_receive_ = false;
    bool multishot_accept_ = false;
    bool stopping_ = false;

    // Lists of sockets, by slot.
    slot_list ready_;    // Linked by next_ready_: with events.
    slot_list over_;     // Linked by next_ready_ too: their closed event was given to the program.
    slot_list dirty_;    // Linked by next_dirty_.
    slot_list starved_;  // Linked by cold_state::next_starved: a receive found no chunk.
    slot_list borrowers_;  // Linked by cold_state::next_borrower: no buffer was left for them.
    bool buffers_returned_ = false;
    bool chunks_recycled_ = false;

    chunk_source source_;
    buffer_pool pool_;
    block_pool<chunk_record> chunks_;
    block_pool<piece_record> pieces_;
    block_pool<ring_record> rings_;
    block_pool<timer_record> timers_;
    timer_wheel wheel_;
    std::uint64_t start_ns_ = 0;
    std::uint64_t now_ns_ = 0;  // Read once a turn.
    std::uint64_t now_ = 0;     // Milliseconds since the beginning, rounded down.
    timer_key relief_;
    std::uint64_t owned_bytes_ = 0;
    std::uint64_t turn_bytes_ = 0;
    std::uint64_t drain_deadline_ = timer_wheel::never;

    std::vector<listener_slot> listeners_;
    std::uint32_t single_accepts_ = 0;  // In flight, of all listeners.
    std::uint32_t buffers_lent_ = 0;
    bool is_heavy_ = false;    // accept_memory_max_bytes is exceeded.
    bool is_late_ = false;     // accept_lag_max is, or was within lag_period.
    bool late_again_ = false;  // ... since lag_ was set.
    timer_key lag_;
    std::uint64_t woken_ns_ = 0;  // The end of the last wait.
    std::uint32_t pauses_to_tell_ = 0;
    std::uint32_t cancels_in_flight_ = 0;
    fd reserve_;  // A descriptor to give up when there are no others.

    std::unique_ptr<socket_event[]> own_events_;
    std::unique_ptr<cqe[]> foreign_;  // A queue of events_max.
    std::uint64_t foreign_head_ = 0;
    std::uint64_t foreign_tail_ = 0;
    std::uint32_t fired_head_ = none;  // Timers to tell of, oldest first.
    std::uint32_t fired_tail_ = none;

    drain_report report_;
    manager_counters counters_;
    std::error_code error_;
};

}  // namespace ioring::detail
