// SPDX-License-Identifier: MIT
// server.hpp - the loop: accept, receive, send and close, whichever strategy holds the bytes.
//
// One turn: submit what was prepared and wait, in one system call; read all completions; prepare
// what they made possible. A connection whose next operation finds no room in the submission queue
// is looked at again in the next turn, so that a full queue never costs a second call.
//
// A connection closes in one order: no new receive, the receive in flight ended, all that was
// received sent (or given up), every completion read, the sending side shut down, the descriptor
// closed, the buffers given back. When it is the stop that ends it, the peer may still be sending,
// and to close over unread bytes would reset the connection and destroy what was flushed: so the
// server reads and throws away until the peer has ended too, within the stop's bound.
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <vector>

#include "echo/acceptor.hpp"
#include "echo/agenda.hpp"
#include "echo/connections.hpp"
#include "echo/counters.hpp"
#include "echo/strategy.hpp"
#include "echo/tags.hpp"
#include "ioring/error.hpp"
#include "ioring/ring.hpp"

namespace echo {

// What the server asks of its surroundings, all on its own thread.
struct surroundings {
    // How often the user has asked to stop: once for an orderly end, twice for an end at once.
    int (*stops_requested)(void* context) = nullptr;
    // Once a second when `reports` is set, and once when the stop begins.
    void (*second_passed)(void* context) = nullptr;
    void (*stopping)(void* context) = nullptr;
    void* context = nullptr;
    bool reports = false;
};

template <echo_strategy Strategy>
class server {
public:
    // What cannot end within this time after the stop was cut off does not end.
    static constexpr std::chrono::seconds give_up_bound{2};
    // While connections starve, those that hold what they need are looked for this often.
    static constexpr std::chrono::milliseconds starvation_period{50};

    server(ioring::ring& ring, ioring::listener& listener, connection_table& table,
           Strategy& strategy, counters& counted, const surroundings& around)
        : ring_{ring},
          table_{table},
          strategy_{strategy},
          counted_{counted},
          around_{around},
          acceptor_{ring, listener} {
        dirty_.reserve(table.size());
    }

    // Serves until stops_requested() or for `duration` (0: no bound), then ends all connections,
    // with `drain` for peers to take what is unsent and to end their side. An error is the ring's:
    // nothing can be done on it any more.
    [[nodiscard]] std::error_code run(std::chrono::nanoseconds duration,
                                      std::chrono::nanoseconds drain) {
        drain_ = drain;
        if (duration.count() > 0) agenda_.plan(agenda::item::end, clock::now() + duration);
        if (around_.reports) plan_second(clock::now());
        while (!is_over()) {
            acceptor_.arm();
            const int taken = wait();
            if (is_fatal(taken)) return ioring::error_of(taken);
            ++counted_.turns;
            for (const ioring::cqe& done : ring_.completions()) dispatch(done);
            strategy_.end_of_batch([this](std::uint32_t slot) { look_at_later(slot); });
            settle_dirty();
            keep_agenda();
        }
        return {};
    }

private:
    [[nodiscard]] bool is_over() const noexcept {
        return given_up_ || (stopping_ && table_.open_count() == 0 && acceptor_.is_idle());
    }

    // -EBUSY and -EAGAIN want completions to be read first, which comes next.
    [[nodiscard]] static bool is_fatal(int taken) noexcept {
        return taken < 0 && taken != -EINTR && taken != -EBUSY && taken != -EAGAIN &&
               taken != -ETIME;
    }

    int wait() noexcept {
        if (!dirty_.empty() || strategy_.has_more()) {
            return ring_.submit_and_wait(1, clock::duration::zero());
        }
        if (agenda_.empty()) return ring_.submit_and_wait(1);
        const auto left = agenda_.earliest() - clock::now();
        return ring_.submit_and_wait(1, std::max(left, clock::duration::zero()));
    }

    void dispatch(const ioring::cqe& done) noexcept {
        const auto [kind, slot, generation] = ioring::user_data::decode<op>(done.user_data);
        if (kind == op::accept) return accepted(done);
        if (kind == op::cancel) return cancelled(slot, generation, done);
        if (!table_.is_current(slot, generation)) {
            ++counted_.stale;
            return;
        }
        if (kind == op::recv) {
            received(slot, table_[slot], done);
        } else {
            sent(slot, table_[slot], done);
        }
        if constexpr (Strategy::settles_per_batch) {
            look_at_later(slot);
        } else {
            if (!settle(slot)) look_at_later(slot);
        }
    }

    // Says nothing that its target's result does not, but where there is no cancel (Registered
    // I/O): then what is in flight on a connection that was given up ends with the descriptor.
    void cancelled(std::uint32_t slot, std::uint32_t generation, const ioring::cqe& done) noexcept {
        if (done.res != -EALREADY || !table_.is_current(slot, generation)) return;
        connection& at = table_[slot];
        if (at.failed) return close_descriptor(at);
        at.receive_cancelled = at.send_cancelled = false;  // To be asked for again.
    }

    void accepted(const ioring::cqe& done) noexcept {
        const ioring::fd socket = acceptor_.completed(done);
        if (acceptor_.is_paused()) {
            agenda_.plan_once(agenda::item::accept_again, clock::now() + acceptor::pause);
        }
        if (!socket.valid()) return;
        const std::uint32_t slot = stopping_ ? connection_table::none : table_.take(socket);
        if (slot == connection_table::none) return refuse(socket);
        if (const std::error_code error = strategy_.open(slot)) {
            if (counted_.unbuffered++ == 0) counted_.unbuffered_error = error;
            table_.give_back(slot);
            return refuse(socket);
        }
        ++counted_.accepted;
        counted_.connections = table_.open_count();
        if (counted_.connections > counted_.connections_peak) {
            counted_.connections_peak = counted_.connections;
        }
        look_at_later(slot);
    }

    void refuse(ioring::fd socket) noexcept {
        ++counted_.refused;
        ring_.shutdown_now(socket, ioring::shutdown_how::write);
        ring_.close_now(socket);
    }

    void received(std::uint32_t slot, connection& at, const ioring::cqe& done) noexcept {
        at.receiving = done.more();
        if (!at.receiving) at.receive_cancelled = false;
        strategy_.received(slot, done);
        if (done.res > 0) {
            const auto bytes = static_cast<std::uint32_t>(done.res);
            counted_.messages += at.lingering ? 0 : 1;
            (at.lingering ? counted_.bytes_discarded : counted_.bytes_received) += bytes;
        } else if (done.res == 0) {
            at.ended = at.peer_ended = true;
        } else if (!is_passing(done.res)) {
            fail(at);
        }
    }

    void sent(std::uint32_t slot, connection& at, const ioring::cqe& done) noexcept {
        at.sending = at.send_cancelled = false;
        const std::uint32_t bytes = done.res > 0 ? static_cast<std::uint32_t>(done.res) : 0;
        counted_.bytes_sent += bytes;
        ring_.transferred_all(done, at.send_bytes);
        strategy_.sent(slot, bytes);
        if (done.res == 0 || (done.res < 0 && !is_passing(done.res))) fail(at);
    }

    // Ended by us, or for want of buffers, or by chance: it may be prepared again.
    [[nodiscard]] static bool is_passing(std::int32_t res) noexcept {
        return res == -ECANCELED || res == -ENOBUFS || res == -EINTR || res == -EAGAIN;
    }

    void fail(connection& at) noexcept {
        if (!at.failed) ++counted_.resets;
        at.failed = at.ended = at.peer_ended = true;
    }

    void look_at_later(std::uint32_t slot) noexcept {
        connection& at = table_[slot];
        if (at.dirty) return;
        at.dirty = true;
        dirty_.push_back(slot);  // Has room for every slot.
    }

    void settle_dirty() noexcept {
        std::size_t kept = 0;
        for (std::size_t index = 0; index < dirty_.size(); ++index) {
            const std::uint32_t slot = dirty_[index];
            connection& at = table_[slot];
            at.dirty = false;
            if (!at.open || settle(slot)) continue;
            at.dirty = true;
            dirty_[kept++] = slot;
        }
        dirty_.resize(kept);
    }

    // Prepares whatever the connection's state allows. False when the queue is full: again later.
    [[nodiscard]] bool settle(std::uint32_t slot) noexcept {
        connection& at = table_[slot];
        if ((at.failed || at.lingering) && !at.sending) strategy_.drop(slot);
        if (!at.sending && strategy_.unsent(slot) != 0) {
            if (!strategy_.prepare_send(slot, tag(op::send, slot, at.generation), at.send_bytes)) {
                return false;
            }
            at.sending = true;
        }
        if (at.ended && !at.sending && !at.lingering) end_sending(at);
        if (at.receiving) return end_receive_if_due(slot, at);
        if (at.ended && !at.lingering) return true;
        if (at.peer_ended) {
            close(slot, at);
            return true;
        }
        if (!strategy_.may_receive(slot)) return true;
        at.receiving = strategy_.prepare_receive(slot, tag(op::recv, slot, at.generation));
        return at.receiving;
    }

    [[nodiscard]] bool end_receive_if_due(std::uint32_t slot, connection& at) noexcept {
        const bool must_end = at.lingering ? at.peer_ended : at.ended;
        if (at.receive_cancelled || !(must_end || strategy_.must_pause(slot))) return true;
        at.receive_cancelled =
            ring_.prepare_cancel(tag(op::recv, slot, at.generation),
                                 tag(op::cancel, slot, at.generation)) != nullptr;
        return at.receive_cancelled;
    }

    // All that was received has been sent: the peer is told so.
    void end_sending(connection& at) noexcept {
        if (!at.failed) ring_.shutdown_now(at.socket, ioring::shutdown_how::write);
        at.lingering = true;
    }

    void close(std::uint32_t slot, connection& at) noexcept {
        strategy_.close(slot);
        close_descriptor(at);
        table_.give_back(slot);
        counted_.connections = table_.open_count();
        if (acceptor_.is_paused()) resume_accepting();
    }

    void close_descriptor(connection& at) noexcept {
        if (at.socket.valid()) ring_.close_now(at.socket);
        at.socket = {};
    }

    void resume_accepting() noexcept {
        agenda_.cancel(agenda::item::accept_again);
        acceptor_.resume();
    }

    void keep_agenda() {
        const int stops = around_.stops_requested(around_.context);
        if (stops > 0 && !stopping_) begin_stop();
        if (stops > 1) cut_off();
        if (!strategy_.is_starving()) {
            agenda_.cancel(agenda::item::starvation);
        } else if (!agenda_.is_planned(agenda::item::starvation)) {
            plan_relief(clock::now());
        }
        if (agenda_.empty()) return;

        const clock::time_point now = clock::now();
        if (agenda_.earliest() > now) return;
        if (agenda_.take(agenda::item::accept_again, now)) acceptor_.resume();
        if (agenda_.take(agenda::item::starvation, now)) {
            strategy_.relieve();
            plan_relief(now);  // It may take several.
        }
        if (agenda_.take(agenda::item::end, now) && !stopping_) begin_stop();
        if (agenda_.take(agenda::item::cut_off, now)) cut_off();
        // Something in flight does not end: the ring's destructor deals with it.
        if (agenda_.take(agenda::item::give_up, now)) {
            given_up_ = true;
            counted_.unfinished = table_.open_count();
        }
        if (agenda_.take(agenda::item::statistics, now)) {
            around_.second_passed(around_.context);
            plan_second(now);
        }
    }

    void plan_relief(clock::time_point now) noexcept {
        agenda_.plan(agenda::item::starvation, now + starvation_period);
    }

    void plan_second(clock::time_point now) noexcept {
        agenda_.plan(agenda::item::statistics, now + std::chrono::seconds{1});
    }

    void begin_stop() {
        stopping_ = true;
        around_.stopping(around_.context);
        counted_.accept_pauses = acceptor_.pauses();
        acceptor_.stop();
        agenda_.cancel(agenda::item::end);
        agenda_.plan(agenda::item::cut_off, clock::now() + drain_);
        agenda_.plan(agenda::item::give_up, clock::now() + drain_ + give_up_bound);
        for (std::uint32_t slot = 0; slot < table_.size(); ++slot) {
            if (!table_[slot].open) continue;
            table_[slot].ended = true;
            look_at_later(slot);
        }
    }

    // Gives up what is unsent; sends that the queue has no room to cancel are met once more.
    void cut_off() noexcept {
        bool all = true;
        for (std::uint32_t slot = 0; slot < table_.size(); ++slot) {
            connection& at = table_[slot];
            if (!at.open) continue;
            if (!at.failed && (at.sending || strategy_.unsent(slot) != 0)) ++counted_.cut_off;
            at.failed = at.ended = at.peer_ended = true;
            look_at_later(slot);
            if (!at.sending || at.send_cancelled) continue;
            at.send_cancelled =
                ring_.prepare_cancel(tag(op::send, slot, at.generation),
                                     tag(op::cancel, slot, at.generation)) != nullptr;
            all = all && at.send_cancelled;
        }
        if (!all) agenda_.plan(agenda::item::cut_off, clock::now());
    }

    ioring::ring& ring_;
    connection_table& table_;
    Strategy& strategy_;
    counters& counted_;
    const surroundings& around_;
    acceptor acceptor_;
    agenda agenda_;
    std::vector<std::uint32_t> dirty_;
    std::chrono::nanoseconds drain_{0};
    bool stopping_ = false;
    bool given_up_ = false;
};

}  // namespace echo
