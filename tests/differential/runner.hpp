// SPDX-License-Identifier: MIT
// runner.hpp - runs one program on one backend and tells what happened.
//
// After each step the ring is run until nothing moves: everything sent over TCP has arrived, all
// operations that must end have ended, and some looks in a row have shown no completion. There are
// no sleeps but for timers of a millisecond. So what a step shows depends on the step and the
// state, not on timing; what would (two writes towards one waiting receive, a cancel that races
// with a worker thread) is not made: see rules in choose.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "differential/coverage.hpp"
#include "differential/program.hpp"
#include "differential/queues.hpp"
#include "differential/sockets.hpp"
#include "differential/trace.hpp"
#include "ioring/probe.hpp"

struct iovec;
struct msghdr;

namespace ioring::differential {

// Which way an operation uses its socket. Two of one way at a time are allowed difference 2.
namespace way {
inline constexpr std::uint8_t read = 1;
inline constexpr std::uint8_t write = 2;
inline constexpr std::uint8_t poll = 4;
inline constexpr std::uint8_t accept = 8;
inline constexpr std::uint8_t connect = 16;
inline constexpr std::uint8_t any = 31;
}  // namespace way

struct operation {
    verb what = verb::nop;
    sqe entry;
    std::int32_t socket = socket_slot::none;
    std::int32_t made = socket_slot::none;  // make_socket: the name of the new one.
    std::uint8_t ways = 0;
    std::uint32_t left = 1;   // Last completions that have not come.
    std::uint32_t after = 0;  // The member of its chain before it, or 0.
    bool prompt = false;      // Ends by itself once started.
    bool soft = false;        // io_link: its failure cancels what follows.
    bool multishot = false;
    bool unordered = false;          // Twins share the tag.
    bool worker = false;             // io_uring gives it to a thread.
    bool counts = false;             // A timeout that counts completions.
    std::uint64_t counted_from = 0;  // Of those, how many had come when it was submitted.
    int late_waits = 0;              // For it, after the last that it counts had come.
    bool brief = false;              // A timer of at most some milliseconds.
    std::int32_t group = -1;
    std::uint32_t bytes = 0;                   // To send or receive.
    std::vector<std::span<std::byte>> pieces;  // Where it receives to, in order.
    std::uint32_t target = 0;  // poll_update, timeout_update: the tag of what it changes.
    std::uint32_t name = 0;    // What poll_update has made of its user_data, or 0.
    bool submitted = false;
    bool failed = false;         // Its last completion was an error.
    bool failed_first = false;   // send_zc: its result was an error.
    bool notifies = false;       // send_zc: its result promised a notification.
    bool shortens = false;       // timeout_update: the target is over soon.
    bool cancels_first = false;  // close, on io_uring.
    const char* misuse = nullptr;
    std::uint32_t level = 0;  // Multishot poll: what was there when nothing moved last.
    std::uint32_t seen = 0;   // Multishot poll: what completions of this step have told.
    bool flagged = false;     // Multishot poll: `seen` counts.
};

struct run_options {
    std::string_view backend;
    probe_result common;         // What both backends can do: programs ask for no more.
    bool texts = false;          // Fill trace::texts.
    coverage* counts = nullptr;  // Where to count, if anywhere.
};

// The user_data of what the runner adds on its own; nobody looks for it.
inline constexpr std::uint64_t hidden_tag = 1U << 24U;

class runner {
public:
    runner();
    ~runner();
    runner(const runner&) = delete;
    runner& operator=(const runner&) = delete;

    [[nodiscard]] trace run(const program& of, const run_options& options);

private:
    struct group_state {
        group_plan plan;
        std::vector<std::byte> memory;
        void* records = nullptr;
        std::uint16_t tail = 0;
        std::vector<std::uint32_t> offsets;  // Incremental: how far a buffer is used.
        std::vector<std::uint16_t> used;     // Buffers to give back, in order.
        std::uint32_t posted = 0;
        std::int32_t owner = socket_slot::none;  // Not shared: the one socket that may use it.
    };

    // The world of one run: run.cpp.
    bool begin();
    void add_groups();
    void step_through();
    void take_step(std::size_t& index);
    void end_cancelled();
    void end_abruptly();
    void read_the_rest();
    void note_record(std::uint32_t id, std::uint64_t signature);
    void say(std::string text);
    void complain(std::string text) { trace_.anomalies.push_back(std::move(text)); }

    // Moving: settle.cpp.
    void flush();
    void submit_all();
    void settle();
    bool look();
    [[nodiscard]] bool is_late(operation& which) const;
    [[nodiscard]] bool is_waited_for();
    [[nodiscard]] bool is_doomed(const operation& which) const;
    [[nodiscard]] bool is_started(const operation& which) const;
    [[nodiscard]] static bool breaks_links(const operation& which, const cqe& done);
    void complete(const cqe& done);
    void finish(operation& which, std::uint32_t tag, const cqe& done, event& seen);
    void receive(operation& which, const cqe& done, event& seen);
    void receive_selected(operation& which, const cqe& done, event& seen);
    [[nodiscard]] static std::uint64_t content_of_twins(const operation& which);
    void receive_plain(operation& which, const cqe& done, event& seen);
    void accept(operation& which, const cqe& done, event& seen);
    void connected(operation& which, const cqe& done);
    void await_arrival(std::int32_t listener);
    [[nodiscard]] bool is_due(const operation& which) const;
    void closed(operation& which, const cqe& done);
    void poll_changed(const operation& which, const cqe& done);
    bool silence_broken_chains();
    [[nodiscard]] bool is_silenced(const operation& which) const;
    bool forget_silent();
    void check_polls();
    void refill_shared();
    void post_buffer(group_state& group, std::uint16_t id);
    void look_at_mailbox();

    // Making operations of steps: choose.cpp, entries.cpp, control.cpp, misuse.cpp.
    void take_chain(std::size_t& index);
    [[nodiscard]] bool may_dangle() const;
    void make_and_add(const step& from, bool chained);
    bool make(const step& from, operation& out);
    void add(const operation& made, std::uint32_t tag);
    void push_operation(std::uint32_t tag);
    [[nodiscard]] bool is_anything_counted() const;
    [[nodiscard]] bool wakes_a_poll(const operation& which) const;
    void flush_for(std::span<const step> chain);
    void push(const sqe& entry);
    std::int32_t pick_stream(std::uint32_t pick) const;
    std::int32_t pick_kind(std::uint32_t pick, socket_kind kind) const;
    std::uint32_t pick_operation(std::uint32_t pick, std::uint64_t verbs) const;
    operation* outstanding(std::int32_t socket, std::uint8_t ways);
    bool is_busy(std::int32_t socket, std::uint8_t ways) const;
    [[nodiscard]] bool may_hang_up(std::int32_t socket) const;
    [[nodiscard]] bool may_shut(std::int32_t socket, std::uint32_t how) const;
    [[nodiscard]] bool starves(std::int32_t socket) const;
    std::uint32_t room(std::int32_t socket, std::uint32_t wanted) const;
    [[nodiscard]] bool has_small_queue() const;
    [[nodiscard]] bool has_several_writers(std::int32_t socket) const;
    bool make_receive(const step& from, operation& out);
    bool make_select(const step& from, operation& out);
    std::span<::iovec> cut(std::span<std::byte> bytes, std::uint32_t variant);
    bool make_send(const step& from, operation& out);
    bool prepare_send(const step& from, std::span<std::byte> bytes, operation& out);
    bool make_accept(const step& from, operation& out);
    bool make_connect(const step& from, operation& out);
    bool make_shutdown(const step& from, operation& out);
    bool make_close(const step& from, operation& out);
    bool make_cancel(const step& from, operation& out);
    bool make_poll(const step& from, operation& out);
    bool finish_poll(const step& from, operation& out);
    bool make_poll_change(const step& from, operation& out);
    bool make_timeout(const step& from, operation& out);
    bool make_timeout_change(const step& from, operation& out);
    bool make_link_timeout(const step& from, operation& out);
    bool make_message(const step& from, operation& out);
    bool make_socket_entry(const step& from, operation& out);
    bool make_malformed(const step& from, operation& out);
    void add_twin(std::uint32_t tag, const operation& of);
    kernel_timespec* time_of(bool brief, std::uint32_t variant, std::uint32_t flags);
    [[nodiscard]] std::uint32_t name_of(std::uint32_t tag) const;
    [[nodiscard]] bool chain_touches(std::int32_t socket) const;
    [[nodiscard]] std::string describe(const operation& which) const;

    // Plain calls: direct.cpp.
    void take_direct(const step& from);
    void peer_write(const step& from);
    void peer_read(const step& from);
    void peer_shutdown(const step& from);
    void peer_close(const step& from, bool reset);
    void close_plainly(std::int32_t socket);
    void peer_connect(const step& from);
    void burst(const step& from);
    void recycle(const step& from);
    void now(const step& from);
    std::int32_t pick_peer(std::uint32_t pick, std::uint8_t busy_ways) const;
    void hang_up(std::int32_t socket);
    void note_direct(std::int32_t res, std::uint64_t content);

    // Memory that operations point at; stays until the ring is gone.
    std::span<std::byte> take_memory(std::size_t bytes);
    template <class Type>
    Type* take(std::size_t count = 1) {
        return reinterpret_cast<Type*>(take_memory(sizeof(Type) * count).data());
    }
    std::span<std::byte> pattern(std::uint32_t tag, std::size_t bytes);

    sockets sockets_;
    std::vector<std::byte> arena_;
    std::size_t arena_used_ = 0;
    std::vector<std::vector<std::byte>> large_;
    queues queues_;
    queues mailbox_;
    std::vector<group_state> groups_;
    std::vector<void*> records_;
    std::map<std::uint32_t, operation> operations_;
    std::map<std::uint32_t, std::uint32_t> renamed_;  // By poll_update: new user_data to tag.
    std::vector<std::uint32_t> batch_;                // Tags pushed and not submitted.
    std::vector<cqe> reaped_;
    std::uint64_t completions_ = 0;     // Looked at since the beginning.
    std::vector<std::uint32_t> chain_;  // Tags of the chain being made.
    std::uint32_t last_in_chain_ = 0;
    std::uint32_t twin_of_ = 0;
    bool chained_ = false;
    bool flush_after_ = false;
    bool may_be_silent_ = false;
    const program* program_ = nullptr;
    const run_options* options_ = nullptr;
    bool is_uring_ = false;
    trace trace_;
};

// Counts SIGPIPE from now on: no backend may raise it.
void watch_sigpipe();

[[nodiscard]] std::uint64_t hash_of(std::span<const std::byte> bytes,
                                    std::uint64_t before = 0) noexcept;

}  // namespace ioring::differential
