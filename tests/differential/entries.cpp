// SPDX-License-Identifier: MIT
// entries.cpp - from a step to a submission queue entry: transfers, connections and the rest of
// what has a socket.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "differential/random.hpp"
#include "differential/runner.hpp"
#include "ioring/prep.hpp"

namespace ioring::differential {
namespace {

constexpr std::uint32_t receive_bytes_max = 20'000;
constexpr std::uint32_t waiting_max = 8;
constexpr std::uint32_t shared_unread_max = 500;

fd fd_of(const socket_slot& slot) { return fd{slot.fd}; }

}  // namespace

bool runner::make(const step& from, operation& out) {
    switch (from.what) {
        case verb::nop:
            prep_nop(out.entry, from.id);
            out.prompt = true;
            return true;
        case verb::recv:
        case verb::recvmsg: return make_receive(from, out);
        case verb::recv_select:
        case verb::recv_multishot: return make_select(from, out);
        case verb::send:
        case verb::send_vectorized:
        case verb::send_zc:
        case verb::sendmsg: return make_send(from, out);
        case verb::accept:
        case verb::accept_multishot: return make_accept(from, out);
        case verb::connect: return make_connect(from, out);
        case verb::shutdown: return make_shutdown(from, out);
        case verb::close: return make_close(from, out);
        case verb::cancel:
        case verb::cancel_fd:
        case verb::cancel_opcode:
        case verb::cancel_any: return make_cancel(from, out);
        case verb::poll:
        case verb::poll_multishot: return make_poll(from, out);
        case verb::poll_update:
        case verb::poll_remove: return make_poll_change(from, out);
        case verb::timeout: return make_timeout(from, out);
        case verb::timeout_update:
        case verb::timeout_remove: return make_timeout_change(from, out);
        case verb::link_timeout: return make_link_timeout(from, out);
        case verb::message: return make_message(from, out);
        case verb::make_socket:
        case verb::bind:
        case verb::listen: return make_socket_entry(from, out);
        case verb::malformed: return make_malformed(from, out);
        default: return false;
    }
}

// Cuts `bytes` into one to three pieces, as many as there is a use for.
std::span<::iovec> runner::cut(std::span<std::byte> bytes, std::uint32_t variant) {
    const std::size_t count = 1 + variant % 3;
    auto* const pieces = take<::iovec>(count);
    const std::size_t each = bytes.size() / count;
    for (std::size_t index = 0; index < count; ++index) {
        const std::size_t begin = index * each;
        const std::size_t end = index + 1 == count ? bytes.size() : begin + each;
        pieces[index] = {.iov_base = bytes.data() + begin, .iov_len = end - begin};
    }
    return {pieces, count};
}

// A full completion queue ends a multishot operation, and when it is full depends on the order of
// others' completions.
bool runner::has_small_queue() const { return program_->cq_entries <= 32; }

// Sends of a chain, which would come one right after the other.
bool runner::has_several_writers(std::int32_t socket) const {
    const std::int32_t other = sockets_.at(socket).other;
    return std::ranges::count_if(operations_, [&](const auto& each) {
               return each.second.left > 0 && each.second.socket == other &&
                      (each.second.ways & way::write) != 0;
           }) > 1;
}

bool runner::make_receive(const step& from, operation& out) {
    out.socket = pick_stream(from.pick);
    if (out.socket == socket_slot::none || outstanding(out.socket, way::poll) != nullptr) {
        return false;
    }
    if (has_several_writers(out.socket)) return false;
    out.ways = way::read;
    out.bytes = std::min(from.bytes, receive_bytes_max);
    if (const operation* const first = outstanding(out.socket, way::read); first != nullptr) {
        const bool alike = first->what == verb::recv && first->after == 0 && !chained_ &&
                           first->entry.flags == 0 &&
                           (first->entry.op_flags & ~msg_flag::dont_wait) == 0;
        if (!alike || from.variant % 3 == 0) return false;
        twin_of_ = static_cast<std::uint32_t>(first->entry.user_data);
        out.bytes = first->bytes;
        out.pieces = {take_memory(out.bytes)};
        return true;
    }
    // A peek that waits for all never ends where less is there.
    std::uint32_t flags = from.flags;
    if ((flags & msg_flag::peek) != 0) flags &= ~msg_flag::wait_all;
    // Whether it takes the socket's error with it differs.
    const socket_slot& slot = sockets_.at(out.socket);
    if (!slot.tcp && slot.hung_up && (flags & msg_flag::dont_wait) != 0) {
        flags &= ~msg_flag::wait_all;
    }
    // Linux 6.18 tells of more bytes than there was room for.
    if ((flags & msg_flag::trunc) != 0) flags &= ~msg_flag::wait_all;
    // io_uring looks for the end of the stream when the rest of the batch is submitted; and of a
    // send and a receive, the first to look takes the socket's error.
    if (slot.hung_up && (flags & msg_flag::wait_all) != 0) flush_after_ = true;
    const std::span memory = take_memory(out.bytes);
    const fd socket = fd_of(slot);
    if (from.what == verb::recv) {
        out.pieces = {memory};
        prep_recv(out.entry, socket, memory, flags, from.id);
    } else {
        auto* const header = take<::msghdr>();
        *header = {};
        const std::span<::iovec> pieces = cut(memory, from.variant);
        header->msg_iov = pieces.data();
        header->msg_iovlen = pieces.size();
        for (const ::iovec& each : pieces) {
            out.pieces.emplace_back(static_cast<std::byte*>(each.iov_base), each.iov_len);
        }
        prep_recvmsg(out.entry, socket, header, flags, from.id);
    }
    out.entry.ioprio = from.ioprio;
    return true;
}

bool runner::make_select(const step& from, operation& out) {
    out.socket = pick_stream(from.pick);
    if (out.socket == socket_slot::none || groups_.empty() ||
        outstanding(out.socket, way::read | way::poll) != nullptr) {
        return false;
    }
    if (has_several_writers(out.socket)) return false;
    const bool multishot = from.what == verb::recv_multishot;
    const socket_slot& slot = sockets_.at(out.socket);
    // Behind a connect a receive looks for its buffer later on a kernel in user space.
    if (slot.kind != socket_kind::stream) return false;
    if (multishot && (!options_->common.has(feature::recv_multishot) || has_small_queue())) {
        return false;
    }
    // What is there when its turn comes, nobody knows.
    if (multishot && !chain_.empty()) return false;
    // On Linux 6.18 a multishot receive of a local socket that finds the last bytes and the end of
    // the stream together tells the bytes only, and nothing wakes it again.
    // Nor does it see an end after more than 32 pieces, and with dont_wait it sees no end at all.
    constexpr std::uint64_t some_pieces = 16;
    const std::uint64_t unread = sockets_.unread(out.socket);
    const bool first = (from.ioprio & transfer_flag::poll_first) != 0;
    const bool many =
        unread > some_pieces * program_->groups[from.variant % groups_.size()].buffer_bytes;
    // A connection that was reset before it was accepted does not say whose bytes it has.
    const bool unknown = slot.other == socket_slot::none;
    const bool misses_end = unread > 0 && (!slot.tcp || first || many);
    if (multishot && slot.hung_up && (unknown || misses_end)) return false;
    if (multishot && unread > 0 && (from.flags & msg_flag::dont_wait) != 0) return false;
    // It comes back for the error or the end.
    if (multishot && slot.hung_up) flush_after_ = true;
    // How the chunks are cut while a sender still pushes is allowed difference 13.
    if (slot.other != socket_slot::none && is_busy(slot.other, way::write)) return false;
    out.group = static_cast<std::int32_t>(from.variant % groups_.size());
    group_state& group = groups_[static_cast<std::size_t>(out.group)];
    if (group.plan.shared) {
        // Who gets the last buffer is open.
        if (sockets_.unread(out.socket) > shared_unread_max) {
            if (!batch_.empty()) return false;
            flush_after_ = true;
        }
    } else if (group.owner != out.socket) {
        for (const auto& [tag, each] : operations_) {
            if (each.left > 0 && each.group == out.group) return false;
        }
        group.owner = out.socket;
    }
    out.ways = way::read;
    out.multishot = multishot;
    const auto id = static_cast<std::uint16_t>(out.group);
    if (multishot) {
        prep_recv_multishot(out.entry, fd_of(slot), id, from.flags, from.id);
    } else {
        std::uint32_t flags = from.flags;
        // Allowed difference 31; and how many buffers a shared group has left would be unknown.
        if (group.plan.incremental || group.plan.shared) flags &= ~msg_flag::wait_all;
        // As with a receive into memory of its own.
        if (!slot.tcp && slot.hung_up && (flags & msg_flag::dont_wait) != 0) {
            flags &= ~msg_flag::wait_all;
        }
        if (slot.hung_up && (flags & msg_flag::wait_all) != 0) flush_after_ = true;
        prep_recv_select(out.entry, fd_of(slot), id, from.bytes, flags, from.id);
    }
    out.entry.ioprio |= from.ioprio;
    return true;
}

bool runner::make_send(const step& from, operation& out) {
    out.socket = pick_stream(from.pick);
    if (out.socket == socket_slot::none ||
        outstanding(out.socket, way::write | way::poll) != nullptr) {
        return false;
    }
    const socket_slot& slot = sockets_.at(out.socket);
    // io_uring gives a send to a worker thread that waits for room where there is no more to read.
    if (slot.small && slot.hung_up && (sockets_.unread(slot.other) > 0 || from.bytes > 1000)) {
        return false;
    }
    const bool to_reader = slot.other != socket_slot::none && is_busy(slot.other, way::read);
    for (const std::uint32_t tag : chain_) {
        const operation& before = operations_.at(tag);
        if (before.socket == out.socket && (before.ways & way::write) != 0 && to_reader) {
            return false;
        }
    }
    out.ways = way::write;
    out.bytes = room(out.socket, from.bytes);
    out.prompt = !slot.small;
    const std::span bytes = pattern(from.id, out.bytes);
    return prepare_send(from, bytes, out);
}

bool runner::prepare_send(const step& from, std::span<std::byte> bytes, operation& out) {
    const socket_slot& slot = sockets_.at(out.socket);
    const fd socket = fd_of(slot);
    const auto& common = options_->common;
    verb how = from.what;
    if (how == verb::send_vectorized && !common.has(feature::send_vectorized)) how = verb::sendmsg;
    if (how == verb::send_zc) {
        const bool other_open = slot.other != socket_slot::none && sockets_.at(slot.other).fd >= 0;
        // A failed one may post a notification or not, which others would count.
        if (!common.supports(opcode::send_zc) || is_anything_counted() || !slot.tcp ||
            !other_open) {
            how = verb::send;
        }
    }
    switch (how) {
        case verb::send_vectorized: {
            const std::span<::iovec> pieces = cut(bytes, from.variant);
            prep_send_vectorized(out.entry, socket, pieces.data(),
                                 static_cast<std::uint32_t>(pieces.size()), from.flags, from.id);
            break;
        }
        case verb::sendmsg: {
            auto* const header = take<::msghdr>();
            *header = {};
            const std::span<::iovec> pieces = cut(bytes, from.variant);
            header->msg_iov = pieces.data();
            header->msg_iovlen = pieces.size();
            prep_sendmsg(out.entry, socket, header, from.flags, from.id);
            break;
        }
        case verb::send_zc: {
            // The notification waits for the receiver's acknowledgement, which may be late.
            const int on = 1;
            ::setsockopt(sockets_.at(slot.other).fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
            prep_send_zc(out.entry, socket, bytes, from.flags, 0, from.id);
            break;
        }
        default: prep_send(out.entry, socket, bytes, from.flags, from.id);
    }
    const std::uint16_t known = how == verb::send_zc ? transfer_flag::zc_report_usage : 0;
    out.entry.ioprio |= from.ioprio & static_cast<std::uint16_t>(transfer_flag::poll_first | known);
    return true;
}

bool runner::make_accept(const step& from, operation& out) {
    out.socket = pick_kind(from.pick, socket_kind::listener);
    if (out.socket == socket_slot::none || outstanding(out.socket, way::poll) != nullptr) {
        return false;
    }
    const socket_slot& slot = sockets_.at(out.socket);
    out.ways = way::accept;
    const bool multishot = from.what == verb::accept_multishot;
    if (const operation* const first = outstanding(out.socket, way::accept); first != nullptr) {
        if (multishot || first->multishot || first->after != 0 || chained_ ||
            first->entry.flags != 0 || first->entry.addr != 0) {
            return false;
        }
        twin_of_ = static_cast<std::uint32_t>(first->entry.user_data);
        return true;
    }
    if (multishot) {
        if (!options_->common.has(feature::accept_multishot) || has_small_queue()) return false;
        prep_accept_multishot(out.entry, fd_of(slot), from.flags, from.id);
        out.multishot = true;
    } else if (from.variant % 3 == 0) {
        auto* const address = take<::sockaddr_storage>();
        auto* const bytes = take<std::uint32_t>();
        *bytes = sizeof *address;
        prep_accept(out.entry, fd_of(slot), reinterpret_cast<::sockaddr*>(address), bytes,
                    from.flags, from.id);
    } else {
        prep_accept(out.entry, fd_of(slot), nullptr, nullptr, from.flags, from.id);
    }
    out.entry.ioprio |= from.ioprio;
    return true;
}

bool runner::make_connect(const step& from, operation& out) {
    out.prompt = true;
    out.ways = way::connect;
    std::span<const std::byte> address = sockets_.dead_address();
    std::int32_t listener = socket_slot::none;
    if (from.variant % 8 < 5) listener = pick_kind(from.variant, socket_kind::listener);
    if (listener != socket_slot::none && sockets_.at(listener).waiting >= waiting_max) return false;
    // Behind an accept it starts when somebody else connects: who of those behind that one, and it,
    // is first in the backlog is open (allowed difference 1).
    const auto accepts = [this](std::uint32_t tag) {
        return operations_.at(tag).what == verb::accept;
    };
    if (listener != socket_slot::none && std::ranges::any_of(chain_, accepts)) return false;
    if (from.variant % 8 == 7) {
        // Of a socket that is connected.
        out.socket = pick_stream(from.pick);
        if (out.socket == socket_slot::none || !sockets_.at(out.socket).tcp) return false;
        if (outstanding(out.socket, way::any) != nullptr) return false;
    } else {
        const bool tcp = listener == socket_slot::none || sockets_.at(listener).tcp;
        out.socket = pick_kind(from.pick, socket_kind::fresh);
        // A local socket must have a name, or its peer would not be known.
        if (out.socket == socket_slot::none || !tcp || !sockets_.at(out.socket).tcp) {
            out.socket = sockets_.open_fresh(tcp);
        }
        const std::int32_t accepted = sockets_.reserve();
        socket_slot& slot = sockets_.at(out.socket);
        slot.accepted_as = accepted;
        slot.soon = !chained_ && listener != socket_slot::none;
        if (listener != socket_slot::none) {
            address = sockets_.address_of_listener(listener);
            ++sockets_.at(listener).waiting;
        }
        slot.ours = true;
        slot.kind = socket_kind::connecting;
        slot.target = listener;
        sockets_.mark_moving(out.socket);
    }
    const std::span copy = take_memory(address.size());
    std::ranges::copy(address, copy.begin());
    prep_connect(out.entry, fd_of(sockets_.at(out.socket)),
                 reinterpret_cast<const ::sockaddr*>(copy.data()),
                 static_cast<std::uint32_t>(copy.size()), from.id);
    return true;
}

bool runner::make_shutdown(const step& from, operation& out) {
    out.socket = pick_stream(from.pick);
    if (out.socket == socket_slot::none || !may_shut(out.socket, from.variant % 3)) return false;
    out.prompt = true;
    prep_shutdown(out.entry, fd_of(sockets_.at(out.socket)),
                  static_cast<shutdown_how>(from.variant % 3), from.id);
    return true;
}

// A bare close with operations in flight is allowed difference 3: io_uring gets the cancel that the
// others do by themselves.
bool runner::make_close(const step& from, operation& out) {
    out.socket = from.variant % 5 == 0 ? pick_kind(from.pick, socket_kind::listener)
                                       : pick_stream(from.pick);
    if (out.socket == socket_slot::none || !may_hang_up(out.socket)) return false;
    bool busy = false;
    for (const auto& [tag, each] : operations_) {
        if (each.left == 0 || each.socket != out.socket) continue;
        if (chained_ || each.after != 0 || each.what == verb::connect || each.worker) return false;
        busy = true;
    }
    for (const std::uint32_t tag : chain_) {
        if (operations_.at(tag).socket == out.socket) return false;
    }
    socket_slot& slot = sockets_.at(out.socket);
    if (slot.kind == socket_kind::connecting) return false;
    out.prompt = true;
    slot.going = true;
    out.cancels_first = busy && is_uring_;
    prep_close(out.entry, fd_of(slot), from.id);
    return true;
}

bool runner::make_poll(const step& from, operation& out) {
    out.socket = from.variant % 4 == 0 ? pick_kind(from.pick, socket_kind::listener)
                                       : pick_stream(from.pick);
    if (from.variant % 16 == 1) out.socket = pick_kind(from.pick, socket_kind::other);
    if (out.socket == socket_slot::none ||
        outstanding(out.socket, way::any & ~way::poll) != nullptr || chain_touches(out.socket) ||
        sockets_.at(out.socket).kind == socket_kind::connecting) {
        return false;
    }
    out.ways = way::poll;
    // A send may come before or after it when that one waits first.
    const std::int32_t other = sockets_.at(out.socket).other;
    for (const std::uint32_t tag : batch_) {
        const operation& before = operations_.at(tag);
        if (other != socket_slot::none && before.socket == other && before.ways == way::write) {
            return false;
        }
    }
    return finish_poll(from, out);
}

bool runner::finish_poll(const step& from, operation& out) {
    const fd socket = fd_of(sockets_.at(out.socket));
    if (from.what == verb::poll) {
        prep_poll_add(out.entry, socket, from.flags, from.id);
        return true;
    }
    // How many completions it posts is allowed difference 5, so nobody may count them.
    for (const auto& [tag, each] : operations_) {
        if (each.left > 0 && each.counts) return false;
    }
    if (!options_->common.has(feature::poll_multishot) || chained_ || has_small_queue()) {
        return false;
    }
    prep_poll_multishot(out.entry, socket, from.flags, from.id);
    out.multishot = true;
    return true;
}

bool runner::chain_touches(std::int32_t socket) const {
    return std::ranges::any_of(
        chain_, [&](std::uint32_t tag) { return operations_.at(tag).socket == socket; });
}

bool runner::make_socket_entry(const step& from, operation& out) {
    out.prompt = true;
    if (from.what == verb::make_socket) {
        const bool odd = from.variant % 10 == 9;
        const std::int32_t domain = odd ? 250 : from.variant % 3 == 0 ? AF_UNIX : AF_INET;
        std::uint32_t type = SOCK_STREAM | socket_flag::cloexec;
        if (from.variant % 4 == 1) type = SOCK_STREAM | socket_flag::nonblock;
        prep_socket(out.entry, domain, type, 0, from.id);
        out.made = sockets_.reserve();
        return true;
    }
    out.socket = pick_kind(from.pick, socket_kind::fresh);
    if (out.socket == socket_slot::none || chained_) return false;
    const socket_slot& slot = sockets_.at(out.socket);
    if (from.what == verb::listen) {
        prep_listen(out.entry, fd_of(slot), 16, from.id);
        flush_after_ = true;
        return true;
    }
    auto* const address = take<::sockaddr_in>();
    *address = {};
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (!slot.tcp) address->sin_family = AF_UNIX;
    prep_bind(out.entry, fd_of(slot), reinterpret_cast<const ::sockaddr*>(address),
              static_cast<std::uint32_t>(slot.tcp ? sizeof *address : sizeof(sa_family_t)),
              from.id);
    return true;
}

void runner::add_twin(std::uint32_t tag, const operation& of) {
    operation& first = operations_.at(tag);
    ++first.left;
    first.unordered = true;
    sqe entry = first.entry;
    if (!of.pieces.empty()) {
        first.pieces.push_back(of.pieces.front());
        entry.addr = detail::address_of(of.pieces.front().data());
    }
    say("twin of " + describe(first));
    push(entry);
    batch_.push_back(tag);
    trace_.steps.back().signature = mix(trace_.steps.back().signature ^ tag);
}

void runner::add(const operation& made, std::uint32_t tag) {
    operations_.insert_or_assign(tag, made);
}

void runner::push_operation(std::uint32_t tag) {
    const operation& made = operations_.at(tag);
    trace_.steps.back().signature =
        mix(trace_.steps.back().signature ^ tag ^ (std::uint64_t{made.bytes} << 32U) ^
            static_cast<std::uint64_t>(made.socket));
    say(describe(made));
    if (made.cancels_first) {
        sqe cancel;
        prep_cancel_fd(cancel, fd{made.entry.fd}, cancel_flag::all, hidden_tag);
        cancel.flags = sqe_flag::cqe_skip_success;
        push(cancel);
    }
    push(made.entry);
    batch_.push_back(tag);
}

void runner::push(const sqe& entry) {
    if (queues_.space() == 0) submit_all();
    queues_.push(entry);
    ++trace_.operations;
}

}  // namespace ioring::differential
