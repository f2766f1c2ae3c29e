// SPDX-License-Identifier: MIT
// iocp_kernel.cpp - beginning, landing, and going on.
#include "backend/iocp/iocp_kernel.hpp"

#include <cassert>
#include <cerrno>
#include <utility>

#include "platform/clock.hpp"
#include "platform/socket_table.hpp"
#include "platform/windows_errors.hpp"

namespace ioring::backends::iocp {
namespace {

bool is_write(const operation& op) noexcept {
    switch (op.entry.op) {
        case opcode::send:
        case opcode::sendmsg:
        case opcode::send_zc:
        case opcode::write_fixed: return true;
        default: return false;
    }
}

bool may_not_wait(const operation& op) noexcept {
    return op.entry.op != opcode::read_fixed && op.entry.op != opcode::write_fixed &&
           (op.entry.op_flags & msg_flag::dont_wait) != 0;
}

bool waits_first(const operation& op) noexcept {
    return (op.entry.ioprio & transfer_flag::poll_first) != 0;
}

}  // namespace

std::int32_t result_of(const overlapped& ended) noexcept {
    constexpr std::uint32_t cut_datagram = 0x8000'0005;  // The rest is gone, as with recv(2).
    const auto status = static_cast<std::uint32_t>(ended.status);
    if ((status & own_status_mask) == own_status) {
        return -static_cast<std::int32_t>(status & ~own_status_mask);
    }
    const int error = status == cut_datagram ? 0 : platform::errno_of_status(status);
    return error != 0 ? -error : static_cast<std::int32_t>(ended.bytes);
}

std::error_code iocp_kernel::set_up(const backend_options& options) noexcept {
    if (const std::error_code error = set_up_queues(options); error) return error;
    name_ = platform::socket_table::add(0, platform::socket_table::kind::other);
    if (name_ < 0) return std::make_error_code(std::errc::too_many_files_open);
    return open_mailbox(name_);
}

iocp_kernel::~iocp_kernel() {
    close_mailbox();
    if (name_ >= 0) (void)platform::socket_table::remove(name_);
    land_all(landing_timeout_ns);
}

// The ring is gone: nothing of what lands completes anything.
void iocp_kernel::land_all(std::int64_t timeout_ns) noexcept {
    for (std::size_t slot = 0; slot < states_.size(); ++slot) {
        socket_state* const of = states_.find(static_cast<std::int32_t>(slot));
        if (of == nullptr) continue;
        discard_ready(*of);
        for (flight* each = of->first; each != nullptr; each = each->next) {
            (void)cancel_flight(*each);
        }
    }
    const std::uint64_t deadline = platform::deadline_ns(std::chrono::nanoseconds{timeout_ns});
    while (pool_.pending() != 0 && platform::monotonic_ns() < deadline) {
        const int count = system_->wait(packets_, platform::time_left(deadline).count());
        for (int index = 0; index < count; ++index) {
            overlapped* const of = packets_[static_cast<std::size_t>(index)].of;
            if (of == nullptr) continue;
            auto& done = *reinterpret_cast<flight*>(of);
            if (done.accepted != no_socket) system_->close(done.accepted);
            pool_.unlink(done);
        }
    }
}

bool iocp_kernel::start(operation& op) noexcept {
    const sqe& asked = op.entry;
    switch (asked.op) {
        case opcode::socket: open_socket(op); return false;
        case opcode::close: return start_close(op);
        case opcode::shutdown: {
            const std::int32_t res = shut_down(asked.fd, asked.len);
            // As io_uring: what shutdown(2) itself says breaks no link.
            finish(op, res, 0, /*failed=*/res == -EBADF || res == -ENOTSOCK);
            return false;
        }
        case opcode::bind:
        case opcode::listen: finish(op, call_on(asked)); return false;
        default: break;
    }
    std::int32_t error = 0;
    socket_state* const of = state_of(asked.fd, error);
    if (of == nullptr) {
        finish(op, error);
        return false;
    }
    switch (asked.op) {
        case opcode::accept: return start_accept(op, *of);
        case opcode::connect: return start_connect(op, *of);
        case opcode::poll_add: return start_poll(op, *of);
        default: return start_queued(op, *of);
    }
}

bool iocp_kernel::start_queued(operation& op, socket_state& of) noexcept {
    const bool dont_wait = may_not_wait(op);
    if (dont_wait && waits_first(op)) {  // As io_uring, whatever is there.
        finish(op, -EAGAIN);
        return false;
    }
    waiting_queue& queue = is_write(op) ? of.writes : of.reads;
    op.kept_by = &of;
    // Behind those that wait already: a later one must not take their bytes.
    if (!dont_wait && (queue.first != nullptr || of.connecting != nullptr)) {
        queue.push(op);
        return true;
    }
    const outcome how = attempt(op, of);
    if (how.what == outcome::kind::ended) {
        end(op, how);
        return false;
    }
    if (dont_wait) {
        finish(op, op.bytes_done > 0 ? static_cast<std::int32_t>(op.bytes_done) : -EAGAIN, 0,
               /*failed=*/true);
        return false;
    }
    queue.push(op);
    if (how.what == outcome::kind::yields) add_again(of);
    return true;
}

iocp_kernel::outcome iocp_kernel::attempt(operation& op, socket_state& of) noexcept {
    switch (op.entry.op) {
        case opcode::recv:
            if (op.has_flag(sqe_flag::buffer_select) && op.kept_buffer == 0) {
                return receive_selected(op, of);
            }
            if (may_not_wait(op) || !emulation::consumes(op)) return receive_now(op, of);
            return begin_receive(op, of);
        case opcode::read_fixed: {
            const outcome refused = refuse_memory(op);
            return refused.failed ? refused : begin_receive(op, of);
        }
        case opcode::recvmsg: return receive_message(op, of);
        default: {
            if (has_pieces(op.entry)) return begin_message(op, of);
            const outcome refused = refuse_memory(op);
            return refused.failed ? refused : begin_send(op, of);
        }
    }
}

// Goes on with those that wait, when the first of them is not in flight.
void iocp_kernel::run_queue(socket_state& of, bool writes) noexcept {
    waiting_queue& queue = writes ? of.writes : of.reads;
    for (int count = 0; queue.first != nullptr && of.connecting == nullptr; ++count) {
        if (writes ? of.writing != nullptr : of.reading != nullptr || of.readable != nullptr) {
            return;
        }
        if (count == operations_turn_max) {
            add_again(of);
            return;
        }
        operation& op = *queue.first;
        const outcome how = attempt(op, of);
        if (how.what == outcome::kind::blocks) return;
        if (how.what == outcome::kind::yields) {
            add_again(of);
            return;
        }
        queue.remove(op);
        end(op, how);
    }
}

void iocp_kernel::add_again(socket_state& of) noexcept {
    if (of.listed) return;
    of.listed = true;
    of.next = nullptr;
    (listed_ == nullptr ? listed_ : listed_last_->next) = &of;
    listed_last_ = &of;
}

// Goes on where the turn before had to leave off. What is added meanwhile is for the next turn.
void iocp_kernel::run_again() noexcept {
    socket_state* each = std::exchange(listed_, nullptr);
    listed_last_ = nullptr;
    while (each != nullptr) {
        socket_state& of = *each;
        each = std::exchange(of.next, nullptr);
        of.listed = false;
        if (of.slot >= 0) {
            run_accepts(of);
            run_queue(of, /*writes=*/false);
            run_queue(of, /*writes=*/true);
        }
        settle(of);
    }
}

int iocp_kernel::progress(std::int64_t timeout_ns) noexcept {
    look_again();
    const int count = system_->wait(packets_, has_more() ? 0 : timeout_ns);
    for (int index = 0; index < count; ++index) {
        overlapped* const of = packets_[static_cast<std::size_t>(index)].of;
        if (of != nullptr) land(*reinterpret_cast<flight*>(of));
    }
    run_again();
    return count < 0 ? count : 0;
}

void iocp_kernel::land(flight& done) noexcept {
    socket_state& of = *done.of;
    operation* const op = done.op;
    const flight::kind what = done.what;
    const std::uint32_t events = done.events;
    std::int32_t res = result_of(done.system);
    // Of a send that was cancelled, what has gone.
    if (what == flight::kind::send && res < 0) {
        op->bytes_done += static_cast<std::uint32_t>(done.system.bytes);
    }
    if (what == flight::kind::poll && res >= 0) res = system_->polled(done.room.poll);
    pool_.unlink(done);
    switch (what) {
        case flight::kind::receive: of.reading = nullptr; break;
        case flight::kind::readable: of.readable = nullptr; break;
        case flight::kind::send: of.writing = nullptr; break;
        case flight::kind::connect: of.connecting = nullptr; break;
        case flight::kind::accept:
            land_accept(done, res);  // Which keeps it, or gives it back.
            settle(of);
            return;
        case flight::kind::poll: break;
    }
    pool_.give_back(done);
    switch (what) {
        case flight::kind::receive: land_transfer(of, /*writes=*/false, *op, res); break;
        case flight::kind::send: land_transfer(of, /*writes=*/true, *op, res); break;
        case flight::kind::connect: land_connect(of, *op, res); break;
        case flight::kind::readable:
            // The next receive tells the error, unless that is our own asking.
            if (res < 0 && res != -ECANCELED) of.read_error = res;
            if (of.slot >= 0) run_queue(of, /*writes=*/false);
            break;
        default:
            if (op != nullptr) land_poll(of, *op, res, events);
            break;
    }
    settle(of);
}

// A receive or send has come back, the first of its queue.
void iocp_kernel::land_transfer(socket_state& of, bool writes, operation& op,
                                std::int32_t res) noexcept {
    waiting_queue& queue = writes ? of.writes : of.reads;
    assert(queue.first == &op);
    outcome how = writes ? sent(op, of, res) : received(op, of, res);
    if (!writes && res >= 0 && of.polls.first != nullptr) tell_taken(of);
    if (how.what == outcome::kind::yields) {
        if (op.ending) {  // What it has got until now.
            how = {.failed = true,
                   .res = static_cast<std::int32_t>(op.bytes_done),
                   .flags = op.kept_buffer};
        } else {
            run_queue(of, writes);
            return;
        }
    }
    queue.remove(op);
    end(op, how);
    if (of.slot >= 0) run_queue(of, writes);
}

emulation::withdrawal iocp_kernel::cancel_flight(flight& of) noexcept {
    of.cancelled = true;
    return system_->cancel(of.of->handle, of.system) ? withdrawal::later : withdrawal::too_late;
}

emulation::withdrawal iocp_kernel::withdraw(operation& op) noexcept {
    auto& of = *static_cast<socket_state*>(op.kept_by);
    switch (op.entry.op) {
        case opcode::close: return withdrawal::too_late;
        case opcode::connect: return cancel_flight(*of.connecting);
        case opcode::poll_add:
            forget_poll(op, of);
            of.polls.remove(op);
            return withdrawal::now;
        case opcode::accept:
            remove_accept(of, op);
            trim(of);
            return withdrawal::now;
        default: break;
    }
    const bool writes = is_write(op);
    flight* const out = writes ? of.writing : of.reading;
    if (out != nullptr && out->op == &op) return cancel_flight(*out);
    (writes ? of.writes : of.reads).remove(op);
    return withdrawal::now;
}

operation* iocp_kernel::first_on(std::int32_t fd) noexcept {
    socket_state* const of = states_.find(fd);
    if (of == nullptr) return nullptr;
    if (of->connecting != nullptr && !of->connecting->op->ending) return of->connecting->op;
    for (waiting_queue* queue : {&of->reads, &of->writes, &of->accepts, &of->polls}) {
        operation* each = queue->first;
        while (each != nullptr && each->ending) each = each->next;
        if (each != nullptr) return each;
    }
    return nullptr;
}

}  // namespace ioring::backends::iocp
