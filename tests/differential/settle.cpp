// SPDX-License-Identifier: MIT
// settle.cpp - submitting, running until nothing moves, and understanding completions.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/pointer.hpp"
#include "differential/random.hpp"
#include "differential/runner.hpp"
#include "ioring/prep.hpp"

namespace ioring::differential {
namespace {

// Bounds are counts, not times: on a busy machine a process may stand still for seconds.
constexpr int moving_looks_max = 20'000;
constexpr int waits_max = 500;
// An operation may need several turns for one completion: a part, a wait, the end of the stream.
constexpr int quiet_looks_enough = 4;
constexpr std::int64_t wait_ns = 20'000'000;  // At most: a completion ends it.
constexpr int late_waits_max = 10;
constexpr std::uint32_t shown_flags =
    cqe_flag::more | cqe_flag::buffer | cqe_flag::buffer_more | cqe_flag::notification;
constexpr std::byte untouched{0xEE};
constexpr std::uint64_t mailbox_base = std::uint64_t{1} << 32U;

}  // namespace

void runner::submit_all() {
    for (const std::uint32_t tag : batch_) {
        operation& which = operations_.at(tag);
        which.submitted = true;
        which.counted_from = completions_;
    }
    while (queues_.pending() > 0) {
        const int taken = queues_.submit();
        if (taken > 0) continue;
        if (taken != -EBUSY && taken != -EAGAIN && taken != -EINTR && taken != 0) {
            complain("enter: " + std::to_string(taken));
            return;
        }
        queues_.turn();
        queues_.reap(reaped_);
    }
}

void runner::flush() {
    submit_all();
    batch_.clear();
    settle();
}

bool runner::is_started(const operation& which) const {
    if (!which.submitted) return false;
    // All that is left of it may be twins that wait in the queue.
    const auto pushed = std::ranges::count(batch_, std::uint64_t{which.entry.user_data});
    if (pushed > 0 && pushed >= static_cast<std::ptrdiff_t>(which.left)) return false;
    if (which.after == 0) return true;
    const auto before = operations_.find(which.after);
    return before == operations_.end() || (before->second.left == 0 && is_started(before->second));
}

// Its chain is broken, so that it ends, perhaps by the hand of a worker thread.
bool runner::is_doomed(const operation& which) const {
    if (which.after == 0 || is_silenced(which)) return false;
    const operation& before = operations_.at(which.after);
    return before.left == 0 && before.failed && before.soft;
}

// A thread of the kernel's posts a completion first, and then ends the timeout that has counted it:
// on a busy machine it may stand still between the two.
bool runner::is_late(operation& which) const {
    if (!which.counts || which.left == 0 || !is_started(which)) return false;
    if (completions_ - which.counted_from < which.entry.off) return false;
    return ++which.late_waits <= late_waits_max;
}

bool runner::is_waited_for() {
    if (std::ranges::any_of(operations_, [this](auto& each) { return is_late(each.second); })) {
        return true;
    }
    return std::ranges::any_of(operations_, [this](const auto& each) {
        const operation& which = each.second;
        if (which.left > 0 && is_doomed(which)) return true;
        if (which.left > 0 && is_started(which) && is_due(which)) return true;
        return which.left > 0 && which.prompt && is_started(which) &&
               (which.entry.flags & sqe_flag::cqe_skip_success) == 0;
    });
}

// One look at completions; whether there were any.
bool runner::look() {
    const int result = queues_.turn();
    if (result < 0 && result != -ETIME && result != -EINTR && result != -EAGAIN &&
        result != -EBUSY) {
        complain("enter: " + std::to_string(result));
    }
    queues_.reap(reaped_);
    const bool any = !reaped_.empty();
    for (std::size_t index = 0; index < reaped_.size(); ++index) complete(reaped_[index]);
    reaped_.clear();
    return any;
}

void runner::settle() {
    int quiet_looks = 0;
    int moving_looks = 0;
    int waits = 0;
    while (quiet_looks < quiet_looks_enough) {
        sockets_.await_delivery();
        quiet_looks = look() ? 0 : quiet_looks + 1;
        if (quiet_looks == 0 && ++moving_looks > moving_looks_max) {
            complain("completions come without end");
            break;
        }
        // One complaint is enough: what follows from it would only cost time.
        if (quiet_looks == quiet_looks_enough && (silence_broken_chains() || forget_silent())) {
            quiet_looks = 0;
        }
        if (quiet_looks < quiet_looks_enough || !trace_.anomalies.empty() || !is_waited_for())
            continue;
        if (++waits > waits_max) {
            for (const auto& [tag, each] : operations_) {
                if (each.left == 0 || !each.prompt || !is_started(each)) continue;
                complain("tag " + std::to_string(tag) + " (" + std::string{to_string(each.what)} +
                         ") must end by itself and does not");
            }
            break;
        }
        queues_.turn(wait_ns);
        quiet_looks = 0;
    }
    look_at_mailbox();
    check_polls();
    refill_shared();
}

void runner::look_at_mailbox() {
    if (!mailbox_.valid()) return;
    mailbox_.turn();
    mailbox_.reap(reaped_);
    for (const cqe& each : reaped_) {
        trace_.events.push_back({.tag = static_cast<std::uint32_t>(each.user_data - mailbox_base),
                                 .res = each.res,
                                 .flags = each.flags,
                                 .content = 0x6d61696c});
    }
    reaped_.clear();
}

// What was to be silent when it succeeds, and has not failed, has succeeded: only operations that
// end at once are prepared like that.
bool runner::forget_silent() {
    bool any = false;
    for (auto& [tag, each] : operations_) {
        if (each.left == 0 || (each.entry.flags & sqe_flag::cqe_skip_success) == 0) continue;
        if (!is_started(each)) continue;
        cqe done{.user_data = tag, .res = 0, .flags = 0};
        if ((each.ways & way::write) != 0) done.res = static_cast<std::int32_t>(each.bytes);
        event unseen;
        finish(each, tag, done, unseen);
        each.left = 0;
        any = true;
    }
    return any;
}

// As io_uring has it: what shutdown(2) itself says breaks no link.
bool runner::breaks_links(const operation& which, const cqe& done) {
    if (which.entry.op == opcode::shutdown) {
        return done.res < 0 && done.res != -ENOTCONN && done.res != -EINVAL;
    }
    const bool is_success = which.entry.op == opcode::timeout && done.res == -ETIME &&
                            (which.entry.op_flags & timeout_flag::etime_success) != 0;
    return done.res < 0 && !is_success;
}

void runner::complete(const cqe& done) {
    ++completions_;
    auto tag = static_cast<std::uint32_t>(done.user_data);
    if (const auto renamed = renamed_.find(tag); renamed != renamed_.end()) tag = renamed->second;
    if (done.user_data == hidden_tag) return;
    const auto found = operations_.find(tag);
    if (found == operations_.end() || done.user_data > 0xffff'ffffU) {
        complain("a completion of user_data " + std::to_string(done.user_data) +
                 ", which no entry carried");
        return;
    }
    operation& which = found->second;
    // Allowed difference 22: a send_zc of a broken chain, silenced or not.
    if ((done.flags & cqe_flag::notification) != 0 && !which.notifies) {
        if (which.failed_first) which.left = 0;
        return;
    }
    if (which.left == 0) {
        complain("tag " + std::to_string(tag) + " posted a completion after its last one: res " +
                 std::to_string(done.res));
    }
    if (options_->counts != nullptr) options_->counts->count(which.entry, done, which.bytes);
    event seen{.tag = static_cast<std::uint32_t>(done.user_data),
               .res = done.res,
               .flags = done.flags & shown_flags,
               .unordered = which.unordered};
    finish(which, tag, done, seen);
    // None is aimed at a worker's operation. What is left is a late acknowledgement's wake-up,
    // which is no doing of the program's.
    if (done.res == -EALREADY &&
        (which.entry.op == opcode::async_cancel || which.entry.op == opcode::poll_remove)) {
        trace_.raced = true;
    }
    if (which.what == verb::poll_multishot && done.more()) {
        which.seen |= static_cast<std::uint32_t>(done.res);
        which.flagged = true;
        return;  // check_polls() judges it.
    }
    if (!done.more() && which.left > 0) --which.left;
    if ((done.flags & cqe_flag::notification) == 0) which.failed = breaks_links(which, done);
    // Whether a send_zc that failed has a notification too is open.
    if (which.entry.op == opcode::send_zc) {
        if ((done.flags & cqe_flag::notification) == 0) {
            which.failed_first = done.res < 0;
            which.notifies = done.res >= 0 && done.more();
        }
        if (which.failed_first) seen.flags &= ~cqe_flag::more;
    }
    trace_.events.push_back(seen);
}

// A failed entry with cqe_skip_success takes the completions of those that it cancels with it. Once
// nothing moves, what follows a failure and has not completed is one of those.
bool runner::is_silenced(const operation& which) const {
    bool skips = (which.entry.flags & sqe_flag::cqe_skip_success) != 0;
    bool broken = false;
    for (std::uint32_t tag = which.after; tag != 0;) {
        const operation& before = operations_.at(tag);
        skips = skips || (before.entry.flags & sqe_flag::cqe_skip_success) != 0;
        broken = broken || (before.left == 0 && before.failed && before.soft);
        tag = before.after;
    }
    return skips && broken;
}

bool runner::silence_broken_chains() {
    bool any = false;
    for (auto& [tag, each] : operations_) {
        if (each.left == 0 || each.after == 0 || !is_silenced(each)) continue;
        each.left = 0;
        each.failed = true;
        any = true;
    }
    return any;
}

void runner::finish(operation& which, std::uint32_t tag, const cqe& done, event& seen) {
    if ((done.flags & cqe_flag::notification) != 0) {
        seen.res = done.res == 0 ? 0 : 1;
        return;
    }
    if (which.what == verb::link_timeout && done.res == -ENOENT) {
        // io_uring, where the time was over at the very moment when the operation ended.
        seen.res = -ECANCELED;
    }
    if (which.unordered && which.left == 1) seen.content = content_of_twins(which);
    if ((which.ways & way::write) != 0) {
        socket_slot& from = sockets_.at(which.socket);
        if (done.res > 0) from.written += static_cast<std::uint32_t>(done.res);
        sockets_.mark_moving(which.socket);
    }
    switch (which.what) {
        case verb::recv:
        case verb::recvmsg:
        case verb::recv_select:
        case verb::recv_multishot: return receive(which, done, seen);
        case verb::accept:
        case verb::accept_multishot: return accept(which, done, seen);
        case verb::connect: return connected(which, done);
        case verb::close: return closed(which, done);
        case verb::shutdown:
            if (done.res == 0 && which.socket != socket_slot::none) hang_up(which.socket);
            return;
        case verb::make_socket:
            if (done.res < 0) return;
            {
                socket_slot slot;
                slot.fd = done.res;
                slot.kind = socket_kind::fresh;
                slot.ours = true;
                slot.tcp = which.entry.fd == AF_INET;
                if (slot.tcp) set_no_delay(slot.fd);
                sockets_.at(which.made) = std::move(slot);
            }
            seen.content = static_cast<std::uint64_t>(::fcntl(done.res, F_GETFD));
            seen.res = 1;
            return;
        case verb::listen:
            if (done.res == 0 && which.socket != socket_slot::none) {
                socket_slot& slot = sockets_.at(which.socket);
                slot.kind = socket_kind::listener;
                slot.address = own_address(slot.fd);
            }
            return;
        case verb::poll_update: return poll_changed(which, done);
        case verb::timeout_update:
            if (done.res == 0 && which.shortens && which.target != 0) {
                operations_.at(which.target).prompt = true;
            }
            return;
        default: (void)tag; return;
    }
}

void runner::receive(operation& which, const cqe& done, event& seen) {
    if (done.res > 0 && which.socket != socket_slot::none &&
        (which.entry.op_flags & msg_flag::peek) == 0) {
        sockets_.at(which.socket).taken += static_cast<std::uint32_t>(done.res);
        sockets_.mark_moving(sockets_.at(which.socket).other);
    }
    if (which.group >= 0) return receive_selected(which, done, seen);
    if (!which.unordered) receive_plain(which, done, seen);
}

// Which of them got which bytes is open, so all of them together are looked at.
std::uint64_t runner::content_of_twins(const operation& which) {
    std::uint64_t sum = 0;
    for (const std::span<std::byte> piece : which.pieces) {
        for (const std::byte each : piece) sum += mix(static_cast<std::uint64_t>(each));
    }
    return sum;
}

void runner::receive_plain(operation& which, const cqe& done, event& seen) {
    std::size_t left = done.res > 0 ? static_cast<std::size_t>(done.res) : 0;
    const bool discarded = (which.entry.op_flags & msg_flag::trunc) != 0;
    for (const std::span<std::byte> piece : which.pieces) {
        const std::size_t filled = discarded ? 0 : std::min(left, piece.size());
        left -= std::min(left, piece.size());
        seen.content = hash_of(piece.first(filled), seen.content);
        if (!std::ranges::all_of(piece.subspan(filled),
                                 [](std::byte each) { return each == untouched; }) &&
            !discarded) {
            complain("tag " + std::to_string(done.user_data) +
                     " wrote past the bytes of its result " + std::to_string(done.res));
        }
    }
    if (which.what == verb::recvmsg && done.res >= 0) {
        ::msghdr header{};
        std::memcpy(&header, detail::pointer_of<std::byte>(which.entry.addr), sizeof header);
        seen.content = hash_of(std::as_bytes(std::span{&header.msg_flags, 1}), seen.content);
    }
}

void runner::receive_selected(operation& which, const cqe& done, event& seen) {
    if (!done.has_buffer()) return;
    group_state& group = groups_[static_cast<std::size_t>(which.group)];
    const std::uint16_t id = done.buffer_id();
    if (id >= group.plan.buffers || done.res < 0) {
        complain("a completion names buffer " + std::to_string(id) + ", which there is not");
        return;
    }
    const auto bytes = static_cast<std::uint32_t>(done.res);
    std::uint32_t& offset = group.offsets[id];
    if (offset + bytes > group.plan.buffer_bytes) {
        complain("a completion's bytes pass the end of buffer " + std::to_string(id));
        return;
    }
    const std::size_t at = std::size_t{id} * group.plan.buffer_bytes + offset;
    seen.content = hash_of(std::span{group.memory}.subspan(at, bytes));
    offset += bytes;
    if ((done.flags & cqe_flag::buffer_more) == 0) {
        group.used.push_back(id);
        --group.posted;
    }
}

void runner::accept(operation& which, const cqe& done, event& seen) {
    if (done.res < 0) return;
    seen.content = static_cast<std::uint64_t>(::fcntl(done.res, F_GETFD) & FD_CLOEXEC) << 32U |
                   static_cast<std::uint64_t>(::fcntl(done.res, F_GETFL) & O_NONBLOCK);
    const std::int32_t name = sockets_.add_accepted(done.res, which.socket);
    seen.res = sockets_.at(name).other;
    if (which.entry.addr == 0) return;
    // The address that it was to write is the peer's.
    const std::string address = peer_address(done.res);
    std::uint32_t bytes = 0;
    std::memcpy(&bytes, detail::pointer_of<std::byte>(which.entry.off), sizeof bytes);
    const bool same = bytes == address.size() &&
                      std::memcmp(address.data(), detail::pointer_of<std::byte>(which.entry.addr),
                                  address.size()) == 0;
    // A local socket that has hung up has no name any more.
    if (!same && !address.empty() && !which.unordered) seen.content |= std::uint64_t{1} << 63U;
}

void runner::connected(operation& which, const cqe& done) {
    if (which.socket == socket_slot::none) return;
    socket_slot& slot = sockets_.at(which.socket);
    if (slot.kind != socket_kind::connecting) return;
    if (done.res == 0) {
        slot.kind = socket_kind::stream;
        slot.address = own_address(slot.fd);
        if (slot.tcp) sockets_.mark_moving(which.socket);
        if (slot.target != socket_slot::none) {
            ++sockets_.at(slot.target).due;
            await_arrival(slot.target);
        }
    } else {
        slot.kind = socket_kind::failed;
    }
}

// A connection is at its listener when the last part of the handshake is, which may be after the
// connect. With an accept in flight it never stays there: see is_due().
void runner::await_arrival(std::int32_t listener) {
    if (!is_busy(listener, way::accept)) sockets_.mark_moving(listener);
}

// Whether a connection that was made has not come out of an accept.
bool runner::is_due(const operation& which) const {
    if ((which.ways & way::accept) == 0 || which.socket == socket_slot::none) return false;
    const socket_slot& listener = sockets_.at(which.socket);
    return listener.fd >= 0 && listener.tcp && listener.due > 0;
}

void runner::closed(operation& which, const cqe& done) {
    if (which.socket == socket_slot::none) return;
    if (done.res != 0) return;  // sockets::clear() closes it.
    hang_up(which.socket);
    sockets_.refuse_waiting(which.socket);
    sockets_.at(which.socket).fd = -1;
}

// The promise for a multishot poll: a completion whenever an event appears that was not there; more
// of them are allowed.
void runner::check_polls() {
    for (auto& [tag, each] : operations_) {
        if (each.what != verb::poll_multishot || each.socket == socket_slot::none) continue;
        const std::uint32_t told = each.seen;
        each.seen = 0;
        each.flagged = false;
        if (each.left == 0 || !is_started(each)) continue;
        const std::uint32_t wanted =
            // These come unasked for.
            (each.entry.op_flags | poll_event::err | poll_event::hup | poll_event::rdhup) & 0x7fffU;
        ::pollfd now{
            .fd = sockets_.at(each.socket).fd, .events = static_cast<short>(wanted), .revents = 0};
        if (now.fd < 0 || ::poll(&now, 1, 0) < 0) continue;
        const std::uint32_t level = static_cast<std::uint32_t>(now.revents) & wanted;
        // After a hang-up nothing has to be told any more: poll(2) would tell of it again and
        // again.
        const bool is_over = (each.level & poll_event::hup) != 0;
        const std::uint32_t fresh = is_over ? 0 : level & ~each.level;
        if ((fresh & ~told) != 0) {
            complain("multishot poll " + std::to_string(tag) + " has not told of events " +
                     std::to_string(fresh & ~told));
        }
        if ((told & ~wanted) != 0) {
            complain("multishot poll " + std::to_string(tag) + " told of events " +
                     std::to_string(told & ~wanted) + " that nobody asked for");
        }
        each.level = level;
    }
}

void runner::refill_shared() {
    for (group_state& group : groups_) {
        if (!group.plan.shared) continue;
        for (const std::uint16_t id : group.used) post_buffer(group, id);
        group.used.clear();
    }
}

}  // namespace ioring::differential
