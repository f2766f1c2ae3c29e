// SPDX-License-Identifier: MIT
// choose.cpp - which socket or target a step means, and what must not be in flight together.
//
// The rules keep out what the contract leaves open, so that all that is left must be equal:
//  - two receives, or two sends, of one socket at a time, but for twins, which are alike and share
//    their user_data (allowed difference 2);
//  - more than one write towards a socket in a batch, so that a waiting receive sees them one by
//    one;
//  - a poll and a transfer of one socket: whether the poll still sees what the transfer takes
//    depends on who comes first;
//  - a cancel in one batch with what may complete its target, with another cancel, which still sees
//    what the first has ended, and with what runs in a worker thread (allowed difference 12);
//  - a cancel without cancel_flag::all of several: which one is open;
//  - a hang-up towards a socket that both sends and receives: one of the two gets the error.
#include <algorithm>
#include <vector>

#include "differential/random.hpp"
#include "differential/runner.hpp"

namespace ioring::differential {
namespace {

constexpr std::uint32_t read_ahead_max = 32'000;  // Bytes in a connection that nobody reads.
constexpr std::uint32_t to_reader_max = 3'000;    // Towards a receive of the ring.
constexpr std::uint32_t to_small_reader_max = 1'200;
constexpr std::uint32_t to_group_max = 500;

bool is_send(verb what) { return what >= verb::send && what <= verb::sendmsg; }
bool is_cancel(verb what) {
    return (what >= verb::cancel && what <= verb::cancel_any) || what == verb::poll_update ||
           what == verb::poll_remove || what == verb::timeout_update ||
           what == verb::timeout_remove;
}
bool waits_first(const operation& which) {
    const std::uint16_t bit =
        which.entry.op == opcode::accept ? accept_flag::poll_first : transfer_flag::poll_first;
    return (which.entry.ioprio & bit) != 0;
}
bool is_worker(const step& from) {
    return from.what == verb::shutdown || (from.sqe_flags & sqe_flag::async) != 0;
}
bool disturbs_cancels(verb what) {
    return is_send(what) || is_cancel(what) || what == verb::poll_multishot ||
           what == verb::connect || what == verb::close || what == verb::timeout ||
           what == verb::shutdown;
}

}  // namespace

std::int32_t runner::pick_stream(std::uint32_t pick) const {
    std::vector<std::int32_t> fit;
    for (std::size_t index = 0; index < sockets_.size(); ++index) {
        const auto name = static_cast<std::int32_t>(index);
        const socket_slot& slot = sockets_.at(name);
        if (slot.fd < 0 || slot.going) continue;
        const bool soon = slot.kind == socket_kind::connecting && slot.soon;
        if (slot.kind != socket_kind::stream && !soon) continue;
        // The other ends are the ring's now and then.
        fit.insert(fit.end(), slot.ours ? 5 : 1, name);
    }
    return fit.empty() ? socket_slot::none : fit[mix(pick) % fit.size()];
}

std::int32_t runner::pick_kind(std::uint32_t pick, socket_kind kind) const {
    std::vector<std::int32_t> fit;
    for (std::size_t index = 0; index < sockets_.size(); ++index) {
        const auto name = static_cast<std::int32_t>(index);
        const socket_slot& slot = sockets_.at(name);
        if (slot.fd >= 0 && !slot.going && slot.kind == kind) fit.push_back(name);
    }
    return fit.empty() ? socket_slot::none : fit[mix(pick) % fit.size()];
}

std::int32_t runner::pick_peer(std::uint32_t pick, std::uint8_t busy_ways) const {
    std::vector<std::int32_t> fit;
    for (std::size_t index = 0; index < sockets_.size(); ++index) {
        const auto name = static_cast<std::int32_t>(index);
        const socket_slot& slot = sockets_.at(name);
        if (slot.fd >= 0 && !slot.going && !slot.ours && slot.kind == socket_kind::stream &&
            !is_busy(name, busy_ways)) {
            fit.push_back(name);
        }
    }
    return fit.empty() ? socket_slot::none : fit[mix(pick) % fit.size()];
}

// The tag of an operation in flight of one of `verbs` (bits), 0 for none. None that a cancel would
// race with.
std::uint32_t runner::pick_operation(std::uint32_t pick, std::uint64_t verbs) const {
    std::vector<std::uint32_t> fit;
    for (const auto& [tag, each] : operations_) {
        if (each.left == 0 || each.worker || each.brief || tag >= (1U << 24U)) continue;
        if ((verbs >> static_cast<unsigned>(each.what) & 1U) == 0) continue;
        if (std::ranges::find(chain_, tag) == chain_.end()) fit.push_back(tag);
    }
    return fit.empty() ? 0 : fit[mix(pick) % fit.size()];
}

operation* runner::outstanding(std::int32_t socket, std::uint8_t ways) {
    for (auto& [tag, each] : operations_) {
        if (each.left > 0 && each.socket == socket && (each.ways & ways) != 0 &&
            std::ranges::find(chain_, tag) == chain_.end()) {
            return &each;
        }
    }
    return nullptr;
}

bool runner::is_busy(std::int32_t socket, std::uint8_t ways) const {
    return std::ranges::any_of(operations_, [&](const auto& each) {
        return each.second.left > 0 && each.second.socket == socket &&
               (each.second.ways & ways) != 0;
    });
}

// While a sender of a local socket waits for room: Linux has no event for it when its peer stops
// reading, so that nobody but io_uring tries again; and when the stream towards it ends, io_uring
// gives it to a worker thread. Both directions at once end it everywhere.
bool runner::may_shut(std::int32_t socket, std::uint32_t how) const {
    const socket_slot& slot = sockets_.at(socket);
    if (slot.tcp || how == 2) return true;
    if (slot.other != socket_slot::none && is_busy(slot.other, way::write)) return false;
    if (how != 0) return !starves(socket);
    if (slot.other != socket_slot::none && starves(slot.other)) return false;
    return !is_busy(socket, way::write);
}

// A receive waits here while its group has no buffer: allowed difference 30, since Linux wakes who
// waits at a local socket when either side stops sending.
bool runner::starves(std::int32_t socket) const {
    return std::ranges::any_of(operations_, [&](const auto& each) {
        const operation& which = each.second;
        return which.left > 0 && which.socket == socket && which.group >= 0 &&
               groups_[static_cast<std::size_t>(which.group)].posted == 0;
    });
}

bool runner::may_hang_up(std::int32_t socket) const {
    const std::int32_t other = sockets_.at(socket).other;
    return other == socket_slot::none || !is_busy(other, way::read) || !is_busy(other, way::write);
}

// How many of `wanted` bytes may be written to `socket` now.
std::uint32_t runner::room(std::int32_t socket, std::uint32_t wanted) const {
    const socket_slot& from = sockets_.at(socket);
    std::uint32_t most = read_ahead_max;
    if (from.other == socket_slot::none) {
        most = to_reader_max;
        const std::uint64_t sent = from.written;
        return sent > read_ahead_max ? 0 : std::min(wanted, most);
    }
    if (is_busy(from.other, way::read)) {
        most = from.small ? to_small_reader_max : to_reader_max;
        for (const auto& [tag, each] : operations_) {
            if (each.left > 0 && each.socket == from.other && each.group >= 0) {
                most = std::min(most, to_group_max);
            }
        }
    } else if (from.small) {
        return wanted;  // It may fill the send buffer: that is what it is small for.
    }
    const auto unread = static_cast<std::uint32_t>(sockets_.unread(from.other));
    return std::min({wanted, most, read_ahead_max - std::min(read_ahead_max, unread)});
}

// io_uring counts the completions of a batch when it is through.
bool runner::is_anything_counted() const {
    return std::ranges::any_of(
        operations_, [](const auto& each) { return each.second.left > 0 && each.second.counts; });
}

// A receive makes room, and a send is something to read: both wake who polls the other end.
bool runner::wakes_a_poll(const operation& which) const {
    if ((which.ways & (way::read | way::write)) == 0 || which.socket == socket_slot::none) {
        return false;
    }
    const std::int32_t other = sockets_.at(which.socket).other;
    return other != socket_slot::none && is_busy(other, way::poll);
}

// Submits what is prepared where the rules want the chain to come later.
void runner::flush_for(std::span<const step> chain) {
    bool apart = queues_.space() < chain.size() + 2;
    for (const step& each : chain) {
        const bool counts = each.what == verb::timeout && each.bytes > 0;
        if (is_worker(each) || counts) apart = true;
        if (is_cancel(each.what) && is_anything_counted()) apart = true;
        const std::int32_t socket = is_send(each.what) ? pick_stream(each.pick) : socket_slot::none;
        for (const std::uint32_t tag : batch_) {
            const operation& other = operations_.at(tag);
            if (other.worker || other.counts) apart = true;
            // A close cancels what is in flight on its descriptor.
            if ((is_cancel(each.what) || each.what == verb::close) &&
                (disturbs_cancels(other.what) || other.after != 0 || other.multishot)) {
                apart = true;
            }
            if (is_cancel(each.what) && wakes_a_poll(other)) apart = true;
            if (is_send(each.what) && is_cancel(other.what)) apart = true;
            if (each.what == verb::close && other.what == verb::connect) apart = true;
            if (is_send(each.what) && (other.ways & way::write) != 0 && other.socket == socket) {
                apart = true;
            }
        }
    }
    if (apart && !batch_.empty()) flush();
}

void runner::take_chain(std::size_t& index) {
    std::size_t end = index;
    constexpr std::uint8_t links = sqe_flag::io_link | sqe_flag::io_hardlink;
    const auto& steps = program_->steps;
    while (end < steps.size() && is_entry(steps[end].what)) {
        if ((steps[end++].sqe_flags & links) == 0) break;
    }
    const std::span chain{steps.data() + index, end - index};
    index = end;
    note_record(chain.front().id, 2);
    flush_for(chain);
    chain_.clear();
    flush_after_ = false;
    last_in_chain_ = 0;
    // Who is silent when a silent one fails is simple in simple chains only.
    may_be_silent_ = std::ranges::none_of(chain, [](const step& each) {
        return (each.sqe_flags & sqe_flag::io_hardlink) != 0 || each.what == verb::link_timeout;
    });
    may_be_silent_ =
        may_be_silent_ && (chain.size() == 1 || std::ranges::none_of(chain, [](const step& each) {
                               return each.what == verb::malformed;
                           }));
    for (const step& each : chain) make_and_add(each, chain.size() > 1);
    if (chain_.empty()) {
        say("// " + std::string{to_string(chain.front().what)} + " fits nothing here");
        return;
    }
    // A member that could not be made leaves no hole: the last one that was ends the chain, unless
    // the chain was to end with the submission.
    const bool dangling = (chain.back().sqe_flags & links) != 0 && may_dangle();
    if (dangling) {
        // A worker's operation is not over when nothing moves any more, so silence says nothing.
        for (const std::uint32_t tag : chain_) {
            operations_.at(tag).entry.flags &=
                static_cast<std::uint8_t>(~sqe_flag::cqe_skip_success);
        }
    }
    if (!dangling) {
        operation& last = operations_.at(chain_.back());
        last.entry.flags &= static_cast<std::uint8_t>(~links);
        last.soft = false;
    }
    for (const std::uint32_t tag : chain_) push_operation(tag);
    // When the followers start is io_uring's affair.
    const bool apart = flush_after_ || dangling || chain_.size() > 1;
    chain_.clear();
    if (apart) flush();
}

// io_uring gives a chain that only the submission ends to a worker thread, where what waits cannot
// be cancelled as elsewhere, and a cancel finds itself.
bool runner::may_dangle() const {
    return std::ranges::all_of(
        chain_, [this](std::uint32_t tag) { return operations_.at(tag).what == verb::nop; });
}

void runner::make_and_add(const step& from, bool chained) {
    operation made;
    made.what = from.what;
    made.worker = is_worker(from);
    chained_ = chained;
    twin_of_ = 0;
    if (!make(from, made)) return;
    // What follows a worker's operation runs in the worker too: nobody knows when it is parked.
    const bool after_worker = std::ranges::any_of(
        chain_, [this](std::uint32_t tag) { return operations_.at(tag).worker; });
    // And what it sets off (a shutdown, the end of a receive) races with what the worker does next.
    if (after_worker && (!made.prompt || made.ways != 0 || made.socket != socket_slot::none))
        return;
    // Nor does anything wait for a file that is closed to be gone, or for what a cancel sets off.
    const bool after_disturbance = std::ranges::any_of(chain_, [this](std::uint32_t tag) {
        const verb before = operations_.at(tag).what;
        return before == verb::close || is_cancel(before);
    });
    if (after_disturbance || (is_cancel(made.what) && !chain_.empty())) return;
    // What hangs up must start at once: its rules have looked at what is in flight now, and one
    // cancel can set off several chains of hard links, in any order.
    const bool starts_late = std::ranges::any_of(
        chain_, [this](std::uint32_t tag) { return !operations_.at(tag).prompt; });
    if (starts_late && (made.what == verb::close || made.what == verb::shutdown)) return;
    // The worker comes late enough for a poll to tell of what was before it, or not.
    const bool beside_poll = std::ranges::any_of(
        chain_, [this](std::uint32_t tag) { return wakes_a_poll(operations_.at(tag)); });
    if (beside_poll && made.worker) return;
    if (twin_of_ != 0) return add_twin(twin_of_, made);
    constexpr std::uint8_t kept = sqe_flag::io_link | sqe_flag::io_hardlink;
    made.entry.flags |= from.sqe_flags & kept;
    made.soft = (made.entry.flags & sqe_flag::io_link) != 0;
    // Only for what ends at once can the runner tell that silence means success.
    const bool at_once = made.prompt && !made.brief && !made.worker && made.ways == 0;
    const bool after_prompt = last_in_chain_ == 0 || operations_.at(last_in_chain_).prompt;
    if ((at_once || (made.prompt && is_send(made.what))) && after_prompt && may_be_silent_) {
        made.entry.flags |= from.sqe_flags & sqe_flag::cqe_skip_success;
    }
    if (made.worker && from.what != verb::shutdown) made.entry.flags |= sqe_flag::async;
    made.after = last_in_chain_;
    // A closed file goes when the system call returns.
    if (made.worker || made.counts || made.what == verb::close) flush_after_ = true;
    // What follows a cancelled hard link starts in its own time.
    if (is_cancel(made.what)) flush_after_ = true;
    // On io_uring it comes after the rest of its batch.
    if (waits_first(made)) flush_after_ = true;
    if (made.socket != socket_slot::none) sockets_.at(made.socket).known_to_ring = true;
    add(made, from.id);
    chain_.push_back(from.id);
    if (made.what != verb::link_timeout) last_in_chain_ = from.id;
}

}  // namespace ioring::differential
