// SPDX-License-Identifier: MIT
// manager_send.cpp - the queue of what is to be sent: written bytes, and forwarded ones where they
// are.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "ioring/detail/lent_memory.hpp"
#include "socket/manager_state.hpp"

namespace ioring::detail {
namespace {

namespace fact = close_fact;
namespace flag = socket_flag_bit;
namespace event_bit = pending_event;

bool is_passing(std::int32_t res) noexcept {
    return res == -ECANCELED || res == -EINTR || res == -EAGAIN;
}

}  // namespace

// One send in flight a connection, and one a turn: all that it has queued of one piece. What is
// written is one piece however often it was, wrapped or not (the buffer is mirrored), and takes
// short messages that are forwarded behind it along; so only long ones between written bytes are
// pieces of their own, which are worth a send each. Not WAITALL: each completion is progress, which
// write_stall_timeout wants to see.
bool manager_state::settle_send(socket& at) noexcept {
    if (at.last_piece_ == none || (at.facts_ & fact::send) != 0) return true;
    const piece_record& first = pieces_[pieces_[at.last_piece_].next];
    if (ring_.prepare_send(at.fd_, {first.data, first.bytes}, tag(op_kind::send, at),
                           msg_flag::no_signal) == nullptr) {
        return false;
    }
    // Not progress: a send that was cancelled for its chunks begins anew without a byte taken.
    cold_of(at).sending_bytes = first.bytes;
    at.flags_ &= ~flag::send_cancelled;
    apply(at, close_event::send_armed);
    return true;
}

void manager_state::sent(socket& at, const cqe& done) noexcept {
    at.flags_ &= ~flag::send_cancelled;
    if (done.res > 0) {
        const auto bytes = static_cast<std::uint32_t>(done.res);
        counters_.bytes_sent += bytes;
        cold_of(at).progress_at = cold_of(at).active_at = now_;
        progress(at, std::min(bytes, cold_of(at).sending_bytes));
    }
    if ((at.flags_ & flag::evicting) != 0) {
        at.flags_ &= ~flag::evicting;
        own_pieces(at);
    }
    if (done.res > 0) {
        apply(at, at.unsent_ == 0 ? close_event::flushed : close_event::sent);
    } else if (is_passing(done.res)) {
        apply(at, close_event::send_stopped);
    } else {
        fail(at, close_event::send_failed, done.res == 0 ? EPIPE : -done.res);
    }
    if ((at.flags_ & flag::blocked) != 0) unblock(at);
}

// --- queueing ---

std::uint32_t manager_state::room_of(const socket& at) const noexcept {
    if (!may_write(at)) return 0;
    return options_.buffer_bytes - std::min(options_.buffer_bytes, at.unsent_);
}

bool manager_state::attach_out(socket& at) noexcept {
    if (at.out_ == nullptr) at.out_ = borrow_buffer(at);
    return at.out_ != nullptr;
}

// A piece at the queue's end, or nullptr when there is no memory.
piece_record* manager_state::add_piece(socket& at) noexcept {
    const std::uint32_t index = pieces_.take();
    if (index == none) return nullptr;
    piece_record& made = pieces_[index];
    made = piece_record{.next = index};
    if (at.last_piece_ != none) {
        made.next = pieces_[at.last_piece_].next;
        pieces_[at.last_piece_].next = index;
    }
    at.last_piece_ = index;
    return &made;
}

void manager_state::queued(socket& at, std::uint32_t bytes) noexcept {
    if (at.unsent_ == 0) cold_of(at).progress_at = now_;
    at.unsent_ += bytes;
    if ((at.facts_ & fact::unsent) == 0) {
        apply(at, close_event::wrote);
        // The connection's timer is hardly ever later than that.
        const auto stall = static_cast<std::uint64_t>(options_.write_stall_timeout.count());
        if (stall != 0 && cold_of(at).timer_tick > now_ + stall + 1) schedule(at);
    }
    mark_dirty(at);
    if (at.unsent_ >= options_.send_high_bytes) block(at);
}

std::size_t manager_state::write(socket& at, std::span<const std::byte> bytes) noexcept {
    if (bytes.empty() || !may_write(at)) return 0;
    const std::span<std::byte> room = writable(at, /*least=*/1);
    const std::size_t count = std::min(bytes.size(), room.size());
    if (count != 0) {
        std::memcpy(room.data(), bytes.data(), count);
        commit_write(at, count);
    }
    if (count < bytes.size()) block(at);
    return count;
}

std::span<std::byte> manager_state::writable(socket& at, std::size_t least) noexcept {
    if (!may_write(at)) return {};
    const std::uint32_t room = room_of(at);
    if (room < std::max<std::size_t>(least, 1) || !attach_out(at)) {
        block(at);
        return {};
    }
    const std::span<std::byte> all = at.out_->writable();
    const std::span<std::byte> lent = all.first(std::min<std::size_t>(all.size(), room));
    reclaim(lent);
    return lent;
}

void manager_state::commit_write(socket& at, std::size_t bytes) noexcept {
    if (at.out_ == nullptr || !may_write(at)) return;
    const auto count = static_cast<std::uint32_t>(
        std::min<std::size_t>({bytes, at.out_->writable_bytes(), room_of(at)}));
    if (count == 0) return;
    end_room(at);
    const bool extends =
        at.last_piece_ != none && pieces_[at.last_piece_].kind == piece_kind::written;
    piece_record* const piece = extends ? &pieces_[at.last_piece_] : add_piece(at);
    if (piece == nullptr) return abort(at, close_reason::failed, ENOMEM);
    if (!extends) piece->data = at.out_->writable().data();
    piece->bytes += count;
    at.out_->commit_write(count);
    queued(at, count);
}

// What writable() gave is the program's no more.
void manager_state::end_room(const socket& at) noexcept {
    if (at.out_ != nullptr) lend(at.out_->writable());
}

// --- forwarding ---

std::size_t manager_state::forward(socket& from, socket& to, std::size_t bytes) noexcept {
    if (from.manager_ != to.manager_ || !may_write(to)) return 0;
    const std::uint32_t in_ring = ring_unread(from);
    const std::size_t there = in_ring != 0 ? readable(from).size() : first_chunk_unread(from);
    const auto wanted = static_cast<std::uint32_t>(std::min(bytes, there));
    const std::uint32_t count = std::min(wanted, room_of(to));
    if (count < wanted) {
        block(to);
        wait_for_room(from, to);
    }
    if (count == 0) return 0;
    if (in_ring != 0) {
        forward_ring(from, to, count);
    } else if (to.last_piece_ != none && is_better_copied(to, count)) {
        const std::size_t taken = write(to, readable(from).first(count));
        counters_.bytes_copied += taken;
        if (taken < count) wait_for_room(from, to);  // No buffer was left.
        consume(from, taken);
        return taken;
    } else {
        forward_chunk(from, to, count);
    }
    return count;
}

// Of a chunk's bytes behind others: few that go along with written ones need no send, and no turn,
// of their own; and when chunks are scarce, what does not move at once must not keep one.
bool manager_state::is_better_copied(const socket& to, std::uint32_t bytes) noexcept {
    if (bytes <= copied_bytes_max && pieces_[to.last_piece_].kind == piece_kind::written) {
        return true;
    }
    return source_.unused() < source_.chunks() / 2;
}

void manager_state::forward_chunk(socket& from, socket& to, std::uint32_t bytes) noexcept {
    const std::uint32_t index = chunks_[from.last_chunk_].next;
    piece_record* const piece = add_piece(to);
    if (piece == nullptr) return abort(to, close_reason::failed, ENOMEM);
    chunk_record& chunk = chunks_[index];
    piece->kind = piece_kind::chunk;
    piece->data = chunk.begin + chunk.read;
    piece->bytes = bytes;
    piece->source = index;
    lend({piece->data, bytes});
    const bool finished = chunk.read + bytes == chunk.bytes;
    chunk.read += bytes;
    from.unread_ -= bytes;
    if (finished) {
        unlink_chunk(from);  // What was the reader's share is the piece's now.
    } else {
        ++chunk.refs;
    }
    queued(to, bytes);
    after_consumption(from, finished);
}

void manager_state::forward_ring(socket& from, socket& to, std::uint32_t bytes) noexcept {
    ring_record& ring = rings_[from.in_];
    // The record's index, before add_piece() moves the queue's end.
    piece_record* const piece = add_piece(to);
    if (piece == nullptr) return abort(to, close_reason::failed, ENOMEM);
    const std::uint32_t index = to.last_piece_;
    const bool moved_on = ring_unread(from) == bytes;
    piece->kind = piece_kind::ring;
    piece->data = const_cast<std::byte*>(ring.buffer->readable().data()) + ring.held;
    piece->bytes = bytes;
    piece->source = from.in_;
    lend_mirrored(ring.buffer->memory(), ring.buffer->read_offset() + ring.held, bytes);
    (ring.first_piece == none ? ring.first_piece : pieces_[ring.last_piece].next_in_ring) = index;
    ring.last_piece = index;
    ring.held += bytes;
    from.unread_ -= bytes;
    queued(to, bytes);
    after_consumption(from, moved_on);
}

// --- progress ---

// The first `bytes` of the queue are sent.
void manager_state::progress(socket& at, std::uint32_t bytes) noexcept {
    at.unsent_ -= bytes;
    while (bytes != 0) {
        const std::uint32_t index = pieces_[at.last_piece_].next;
        piece_record& first = pieces_[index];
        const std::uint32_t part = std::min(bytes, first.bytes);
        bytes -= part;
        first.bytes -= part;
        first.data += part;
        if (first.kind == piece_kind::written) {
            at.out_->commit_read(part);
            // Its beginning may be in the second view now, behind which there is no third.
            first.data = const_cast<std::byte*>(at.out_->readable().data());
        }
        if (first.kind == piece_kind::ring) first.freed += part;
        if (first.bytes != 0) {
            if (first.kind == piece_kind::ring) settle_ring(first.source);
            return;
        }
        if (index == at.last_piece_) {
            at.last_piece_ = none;
        } else {
            pieces_[at.last_piece_].next = first.next;
        }
        finish_piece(at, index);
    }
}

// It is in the queue no more.
void manager_state::finish_piece(socket& at, std::uint32_t index) noexcept {
    piece_record& done = pieces_[index];
    switch (done.kind) {
        case piece_kind::written:
            if (at.out_->empty()) return_buffer(std::exchange(at.out_, nullptr));
            break;
        case piece_kind::chunk: unref_chunk(done.source); break;
        case piece_kind::owned:
            owned_bytes_ -= done.memory_bytes;
            delete[] done.memory;
            break;
        case piece_kind::ring:
            done.done = true;
            return settle_ring(done.source);  // Which gives the record back in its turn.
    }
    pieces_.give_back(index);
}

// Nothing is in flight, and nothing will be.
void manager_state::drop_unsent(socket& at) noexcept {
    if (at.unsent_ != 0) progress(at, at.unsent_);
    if (at.out_ != nullptr) return_buffer(std::exchange(at.out_, nullptr));
}

// What a connection that does not move has in chunks goes to memory of its own.
void manager_state::own_pieces(socket& at) noexcept {
    if (at.last_piece_ == none) return;
    std::uint32_t index = at.last_piece_;
    do {
        piece_record& which = pieces_[index];
        if (which.kind == piece_kind::chunk) {
            std::byte* const memory = own_memory(which.bytes);
            if (memory == nullptr) return abort(at, close_reason::failed, ENOBUFS);
            const std::span<std::byte> forwarded{which.data, which.bytes};
            reclaim(forwarded);
            std::memcpy(memory, which.data, which.bytes);
            lend(forwarded);
            unref_chunk(which.source);
            which.kind = piece_kind::owned;
            which.data = which.memory = memory;
            which.memory_bytes = which.bytes;
        }
        index = which.next;
    } while (index != at.last_piece_);
}

// --- too much of it ---

void manager_state::block(socket& at) noexcept {
    if ((at.flags_ & flag::blocked) != 0) return;
    at.flags_ |= flag::blocked;
    announce(at, event_bit::send_blocked);
    if (options_.slow_reader == slow_reader_policy::close) abort(at, close_reason::slow_reader);
}

void manager_state::unblock(socket& at) noexcept {
    constexpr std::uint32_t needs = flag::blocked | flag::borrower;
    if ((at.flags_ & needs) != flag::blocked || phase_of(at) != close_phase::open) return;
    if (at.unsent_ > options_.send_low_bytes) return;
    at.flags_ &= ~flag::blocked;
    announce(at, event_bit::writable);
    if (at.unread_ != 0) announce(at, event_bit::received);
    wake_waiters(at);
}

void manager_state::notify_drained(socket& at) noexcept {
    if (phase_of(at) != close_phase::open) return;
    if (at.unsent_ == 0) return announce(at, event_bit::drained);
    at.flags_ |= flag::wants_drained;
}

// The peer is told at once, or by the last completion of what is unsent.
void manager_state::finish(socket& at) noexcept {
    if (phase_of(at) != close_phase::open) return;
    apply(at, close_event::finish);
    // Room is of no use to anybody any more.
    at.flags_ &= ~flag::blocked;
    at.pending_ &= static_cast<std::uint16_t>(~(event_bit::send_blocked | event_bit::writable));
    end_room(at);
    if (at.out_ != nullptr && at.out_->empty()) return_buffer(std::exchange(at.out_, nullptr));
    wake_waiters(at);
}

// `from` has bytes for `to`, which has no room: it is told again when there is some.
void manager_state::wait_for_room(socket& from, socket& to) noexcept {
    cold_state& source = cold_of(from);
    const std::uint32_t target = slot_of(to);
    if (&from == &to || source.waits_for == target) return;
    stop_waiting(from);
    cold_state& queue = cold_of(to);
    source.waits_for = target;
    source.next_waiter = queue.first_waiter;
    source.previous_waiter = none;
    if (queue.first_waiter != none) cold_[queue.first_waiter].previous_waiter = slot_of(from);
    queue.first_waiter = slot_of(from);
}

void manager_state::stop_waiting(socket& at) noexcept {
    cold_state& source = cold_of(at);
    if (source.waits_for == none) return;
    if (source.next_waiter != none)
        cold_[source.next_waiter].previous_waiter = source.previous_waiter;
    if (source.previous_waiter != none) {
        cold_[source.previous_waiter].next_waiter = source.next_waiter;
    } else {
        cold_[source.waits_for].first_waiter = source.next_waiter;
    }
    source.waits_for = source.next_waiter = source.previous_waiter = none;
}

// Also when `at` ends, or is to send no more: what waits for it has nothing to wait for.
void manager_state::wake_waiters(socket& at) noexcept {
    while (cold_of(at).first_waiter != none) {
        socket& source = sockets_[cold_of(at).first_waiter];
        stop_waiting(source);
        if (source.unread_ != 0 && phase_of(source) == close_phase::open) {
            announce(source, event_bit::received);
        }
    }
}

// --- buffers of the pool ---

ring_buffer* manager_state::borrow_buffer(socket& at) noexcept {
    ring_buffer* const buffer = pool_.acquire_raw();
    if (buffer != nullptr) {
        ++buffers_lent_;
        lend(buffer->memory());  // Ours, until the program is shown some of it.
    }
    if (buffer != nullptr || (at.flags_ & flag::borrower) != 0) return buffer;
    at.flags_ |= flag::borrower;
    borrowers_.push(slot_of(at), [this](std::uint32_t slot) -> std::uint32_t& {
        return cold_[slot].next_borrower;
    });
    return nullptr;
}

void manager_state::return_buffer(ring_buffer* buffer) noexcept {
    (void)pool_.release_raw(buffer);
    --buffers_lent_;
    buffers_returned_ = true;
}

void manager_state::feed_borrowers() noexcept {
    buffers_returned_ = false;
    const auto link = [this](std::uint32_t slot) -> std::uint32_t& {
        return cold_[slot].next_borrower;
    };
    slot_list now = std::exchange(borrowers_, slot_list{});
    while (!now.empty()) {
        socket& at = sockets_[now.pop(link)];
        at.flags_ &= ~flag::borrower;
        unblock(at);
        mark_dirty(at);
    }
}

}  // namespace ioring::detail
