// SPDX-License-Identifier: MIT
// readiness_kernel.cpp - trying, parking, and trying again.
#include "backend/readiness/readiness_kernel.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <utility>

#include "backend/readiness/transfers.hpp"
#include "platform/socket.hpp"

namespace ioring::backends::readiness {
namespace {

constexpr std::uint64_t bit(opcode op) noexcept {
    return std::uint64_t{1} << static_cast<std::uint32_t>(op);
}

std::uint8_t direction_of(opcode op) noexcept {
    constexpr std::uint64_t reading =
        bit(opcode::recv) | bit(opcode::recvmsg) | bit(opcode::accept) | bit(opcode::read_fixed);
    return (reading & bit(op)) != 0 ? direction::read : direction::write;
}

// poll_first says: wait for an event before the first try.
bool waits_first(const operation& op) noexcept {
    if (op.entry.ioprio == 0) return false;
    static_assert(accept_flag::poll_first == 1U << 2U && transfer_flag::poll_first == 1U << 0U);
    const std::uint16_t flag =
        op.entry.op == opcode::accept ? accept_flag::poll_first : transfer_flag::poll_first;
    return (op.entry.ioprio & flag) != 0;
}

bool may_not_wait(const operation& op) noexcept {
    if (op.entry.ioprio == 0 && (op.entry.op_flags & msg_flag::dont_wait) == 0) return false;
    switch (op.entry.op) {
        case opcode::accept: return (op.entry.ioprio & accept_flag::dont_wait) != 0;
        case opcode::read_fixed:
        case opcode::write_fixed: return false;
        default: return (op.entry.op_flags & msg_flag::dont_wait) != 0;
    }
}

}  // namespace

// Flat, as on_event(): each frame between here and a system call costs a return that the processor
// predicts wrongly.
[[gnu::flatten]] bool readiness_kernel::start(operation& op) noexcept {
    const sqe& asked = op.entry;
    constexpr std::uint64_t transfers =
        bit(opcode::recv) | bit(opcode::send) | bit(opcode::recvmsg) | bit(opcode::sendmsg);
    if (asked.fd >= 0 && (transfers & bit(asked.op)) != 0) [[likely]] {
        return start_queued(op, direction_of(asked.op));
    }
    if (asked.op != opcode::socket && asked.fd < 0) {
        finish(op, -EBADF);
        return false;
    }
    switch (asked.op) {
        case opcode::connect: return start_connect(op);
        case opcode::poll_add: return start_poll(op);
        case opcode::shutdown: {
            const std::int32_t res = shut_down(asked.fd, asked.len);
            // As io_uring: what shutdown(2) itself says breaks no link.
            finish(op, res, 0, /*failed=*/res == -EBADF || res == -ENOTSOCK);
            return false;
        }
        case opcode::close:
            (void)cancel_descriptor(asked.fd);
            finish(op, close_descriptor(asked.fd));
            return false;
        case opcode::socket: {
            const std::int32_t made =
                system::open_socket(asked.fd, static_cast<std::uint32_t>(asked.off),
                                    static_cast<std::int32_t>(asked.len));
            if (made >= 0) greet(made);
            finish(op, made);
            return false;
        }
        case opcode::bind:
            finish(op, system::bind(asked.fd, detail::pointer_of<const sockaddr>(asked.addr),
                                    static_cast<std::uint32_t>(asked.off)));
            return false;
        case opcode::listen:
            finish(op, system::listen(asked.fd, static_cast<std::int32_t>(asked.len)));
            return false;
        default: return start_queued(op, direction_of(asked.op));
    }
}

bool readiness_kernel::start_queued(operation& op, std::uint8_t which) noexcept {
    descriptor* const of = table_.find(op.entry.fd);
    const bool dont_wait = may_not_wait(op);
    const bool first_waits = waits_first(op);
    if (of != nullptr && !dont_wait) {
        // Behind those that wait already: a later one must not take their bytes.
        if (of->queue(which).first != nullptr || of->connecting != nullptr) {
            of->queue(which).push(op);
            return true;
        }
    }
    if (dont_wait && first_waits) {  // As io_uring, whatever is there.
        finish(op, -EAGAIN);
        return false;
    }
    if (first_waits) {
        const std::uint32_t events = which == direction::read ? poll_event::in : poll_event::out;
        if (system::poll_now(op.entry.fd, events) == 0) return park(op, which);
    }
    if (of != nullptr && of->drained && which == direction::read && !dont_wait &&
        ends_by_data_only(op)) {
        return park(op, which);
    }
    if (of != nullptr && of->polls.first != nullptr) run_polls(op.entry.fd);
    const bool others_first = !has_bytes_left() || is_turn_of_left_over();
    const bool is_late = which == direction::read && others_first && !dont_wait;
    const outcome how = is_late ? outcome{.what = outcome::kind::yields} : attempt(op);
    switch (how.what) {
        case outcome::kind::ended: end(op, how); return false;
        case outcome::kind::blocks:
            if (!dont_wait) return park(op, which);
            finish(op, op.bytes_done > 0 ? static_cast<std::int32_t>(op.bytes_done) : -EAGAIN, 0,
                   /*failed=*/true);
            return false;
        case outcome::kind::yields: break;
    }
    if (!park(op, which)) return false;
    table_.add_again(op.entry.fd, which);
    return true;
}

// Keeps an operation that would have blocked until the poller has an event for it.
bool readiness_kernel::park(operation& op, std::uint8_t which) noexcept {
    descriptor* const of = watch(op.entry.fd);
    if (of == nullptr) {
        finish(op, -ENOMEM);
        return false;
    }
    of->queue(which).push(op);
    arm(op.entry.fd, which, arming::once);
    return true;
}

// What is kept for `fd`, which may now be armed. nullptr: no memory.
descriptor* readiness_kernel::watch(std::int32_t fd) noexcept {
    descriptor* const of = table_.make(fd);
    if (of == nullptr || of->armed) return of;
    if (!reserve(fd)) return nullptr;
    of->armed = true;
    of->tells_drained = hears_changes_ && system::is_tcp(fd);
    return of;
}

// A receive on `fd` has got fewer bytes than it had room for. With a poller that hears of every
// change since before that, the next one needs no try until there is an event.
void readiness_kernel::note_short_receive(std::int32_t fd) noexcept {
    descriptor* const of = table_.find(fd);
    if (of != nullptr && of->tells_drained) of->drained = true;
}

bool readiness_kernel::is_drained(std::int32_t fd) noexcept {
    const descriptor* const of = table_.find(fd);
    return of != nullptr && of->drained;
}

emulation::withdrawal readiness_kernel::withdraw(operation& op) noexcept {
    descriptor* const of = table_.find(op.entry.fd);
    assert(of != nullptr);
    if (op.holds_connect) {
        assert(of->connecting == &op);
        of->connecting = nullptr;
        op.holds_connect = false;
        if (op.shots_left != 0) (void)system::set_nonblocking(op.entry.fd, false);
        // Those that have waited for it find out what it has come to.
        table_.add_again(op.entry.fd, direction::read | direction::write);
    } else if (op.entry.op == opcode::poll_add) {
        of->polls.remove(op);
    } else {
        const std::uint8_t which = direction_of(op.entry.op);
        of->queue(which).remove(op);
    }
    return emulation::withdrawal::now;
}

operation* readiness_kernel::first_on(std::int32_t fd) noexcept {
    descriptor* const of = table_.find(fd);
    return of == nullptr ? nullptr : of->first();
}

int readiness_kernel::close_descriptor(std::int32_t fd) noexcept {
    if (descriptor* const of = table_.find(fd); of != nullptr) {
        assert(of->first() == nullptr);
        if (of->armed) forget(fd);
        of->reset();
    }
    return platform::close_socket(fd);
}

// A number that the system has just given out: what is still known of it is about a descriptor that
// was closed behind our back.
void readiness_kernel::greet(std::int32_t fresh_fd) noexcept {
    descriptor* const of = table_.find(fresh_fd);
    if (of == nullptr) return;
    (void)cancel_descriptor(fresh_fd);
    if (of->armed) forget(fresh_fd);
    of->reset();
}

int readiness_kernel::shut_down(std::int32_t fd, std::uint32_t how) noexcept {
    if (how > static_cast<std::uint32_t>(shutdown_how::both)) return -EINVAL;
    const int result = platform::shutdown_socket(fd, static_cast<int>(how));
    // What waits on this very socket may have its end now, and not every system has an event for
    // that: a local socket of Linux has none for a sender that waits for room.
    if (descriptor* const of = table_.find(fd); result == 0 && of != nullptr) {
        if (of->first() != nullptr) table_.add_again(fd, direction::read | direction::write);
    }
    return result;
}

bool readiness_kernel::is_open(std::int32_t fd) noexcept { return system::is_open(fd); }

int readiness_kernel::progress(std::int64_t timeout_ns) noexcept {
    int count = 0;
    const bool looks = !has_more() || receives_unasked_ >= receives_a_look;
    if (looks) {
        receives_unasked_ = 0;
        count = wait_for_events(events_, has_more() ? 0 : timeout_ns);
    }
    newer_turns_ = has_more() && !has_bytes_left() ? newer_turns_ + 1 : 0;
    run_again();
    if (count > 0) look(std::span{events_}.first(static_cast<std::size_t>(count)));
    turn_bytes_ = 0;
    turn_before_ = std::exchange(turn_receives_, 0);
    return std::min(count, 0);
}

void readiness_kernel::look(std::span<const ready_event> found) noexcept {
    for (std::size_t index = 0; index < found.size(); ++index) {
        if (index + 2 < found.size()) table_.fetch(found[index + 2].fd);
        if (index + 1 < found.size()) table_.fetch_first(found[index + 1].fd);
        on_event(found[index].fd, found[index].directions, found[index].error_hint);
    }
}

// Goes on where the turn before had to leave off.
void readiness_kernel::run_again() noexcept {
    // What is added meanwhile is for the next turn.
    for (std::size_t left = table_.again_count(); left > 0 && has_bytes_left(); --left) {
        const auto [fd, directions] = table_.take_again();
        on_event(fd, directions, 0);
    }
}

[[gnu::flatten]] void readiness_kernel::on_event(std::int32_t fd, std::uint8_t directions,
                                                 std::int32_t error_hint) noexcept {
    descriptor* const of = table_.find(fd);
    if (of == nullptr) return;
    if ((directions & direction::read) != 0) of->drained = false;
    // After the last byte comes the end of the stream, and no other event tells of it; at urgent
    // data a receive stops short.
    if ((directions & (direction::ended | direction::urgent)) != 0) of->tells_drained = false;
    if (of->first() == nullptr) return;
    if (of->connecting != nullptr) {
        if ((directions & direction::write) != 0) continue_connect(fd, error_hint);
        if (table_.find(fd)->connecting != nullptr) return;
        directions |= direction::read | direction::write;
    }
    // Polls first: what they wait for is gone once a receive has taken it.
    if (table_.find(fd)->polls.first != nullptr) run_polls(fd);
    if ((directions & direction::read) != 0) run_queue(fd, direction::read);
    if ((directions & direction::write) != 0) run_queue(fd, direction::write);
}

void readiness_kernel::run_queue(std::int32_t fd, std::uint8_t which) noexcept {
    for (int count = 0;; ++count) {
        // Looked up anew: what ends may have closed or moved things.
        waiting_queue& queue = table_.find(fd)->queue(which);
        if (queue.first == nullptr) return;
        const bool others_first = which == direction::read && !has_bytes_left();
        if (count == operations_turn_max || others_first) {
            table_.add_again(fd, which);
            return;
        }
        operation& op = *queue.first;
        const outcome how = attempt(op);
        if (how.what == outcome::kind::blocks) {
            arm(fd, which, arming::once);
            return;
        }
        if (how.what == outcome::kind::yields) {
            table_.add_again(fd, which);
            return;
        }
        table_.find(fd)->queue(which).remove(op);
        end(op, how);
    }
}

readiness_kernel::outcome readiness_kernel::attempt(operation& op) noexcept {
    if (op.entry.op == opcode::recv) {
        return op.has_flag(sqe_flag::buffer_select) && op.kept_buffer == 0
                   ? try_receive_selected(op)
                   : try_receive(op);
    }
    switch (op.entry.op) {
        case opcode::recvmsg: return try_receive_message(op);
        case opcode::accept: return try_accept(op);
        case opcode::send:
            return (op.entry.ioprio & transfer_flag::send_vectorized) != 0 ? try_send_pieces(op)
                                                                           : try_send(op);
        case opcode::sendmsg: return try_send_pieces(op);
        case opcode::send_zc: return try_send(op);
        default: return try_fixed(op);
    }
}

}  // namespace ioring::backends::readiness
