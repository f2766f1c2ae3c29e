// SPDX-License-Identifier: MIT
// manager_receive.cpp - received bytes: shared chunks first, a buffer of the connection's own when
// they stay.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "ioring/detail/lent_memory.hpp"
#include "socket/manager_state.hpp"

namespace ioring::detail {
namespace {

namespace fact = close_fact;
namespace flag = socket_flag_bit;
namespace event_bit = pending_event;

// It did nothing, or we have ended it: it may be prepared again.
bool is_passing(std::int32_t res) noexcept {
    return res == -ECANCELED || res == -ENOBUFS || res == -EINTR || res == -EAGAIN;
}

}  // namespace

bool manager_state::wants_receive(const socket& at) const noexcept {
    constexpr std::uint32_t held = flag::paused | flag::full;
    if ((at.facts_ & fact::ended) != 0 || (at.flags_ & flag::starved) != 0) return false;
    return phase_of(at) != close_phase::open || (at.flags_ & held) == 0;
}

bool manager_state::settle_receive(socket& at) noexcept {
    // Not what the program has not been shown: it may take that chunk by chunk.
    const bool is_shown = (at.pending_ & event_bit::received) == 0;
    if (at.last_chunk_ != none && is_shown) join_chunks(at);
    if ((at.facts_ & fact::recv) != 0) {
        return wants_receive(at) || prepare_cancel(at, op_kind::receive, op_kind::cancel_receive,
                                                   flag::receive_cancelled);
    }
    if (!wants_receive(at)) return true;
    if (prepare_receive(at) == nullptr) return (at.flags_ & flag::starved) != 0;
    at.flags_ &= ~flag::receive_cancelled;
    apply(at, close_event::recv_armed);
    return true;
}

const sqe* manager_state::prepare_receive(socket& at) noexcept {
    const std::uint64_t name = tag(op_kind::receive, at);
    if (source_.polls_first()) return prepare_polled_receive(at);
    if (multishot_receive_) return ring_.prepare_recv_multishot(at.fd_, source_.group(), name);
    return ring_.prepare_recv_select(at.fd_, source_.group(), name);
}

// A poll, which needs no memory, and when that has found something a receive that does not wait.
// nullptr also when no chunk is left: the connection starves.
const sqe* manager_state::prepare_polled_receive(socket& at) noexcept {
    const std::uint64_t name = tag(op_kind::receive, at);
    if ((at.flags_ & flag::polled) == 0) {
        return ring_.prepare_poll_add(at.fd_, poll_event::in, name);
    }
    const std::span<std::byte> chunk = source_.acquire();
    if (chunk.empty()) {
        starve(at);
        return nullptr;
    }
    const sqe* const entry = ring_.prepare_recv(at.fd_, chunk, name, msg_flag::dont_wait);
    if (entry == nullptr) {
        source_.give_back(chunk);
    } else {
        cold_of(at).chunk = chunk.data();
    }
    return entry;
}

// The bytes that a receive has brought.
std::span<std::byte> manager_state::take_bytes(socket& at, const cqe& done) noexcept {
    if (!source_.polls_first()) return source_.take(done);
    std::byte* const chunk = std::exchange(cold_of(at).chunk, nullptr);
    if (done.res > 0) {
        const std::span<std::byte> bytes{chunk, static_cast<std::size_t>(done.res)};
        reclaim(bytes);
        return bytes;
    }
    source_.give_back({chunk, 1});
    return {};
}

void manager_state::polled(socket& at, const cqe& done) noexcept {
    if (done.res > 0) at.flags_ |= flag::polled;
    if (done.res >= 0 || is_passing(done.res)) return apply(at, close_event::recv_stopped);
    fail(at, close_event::recv_failed, -done.res);
}

void manager_state::received(socket& at, const cqe& done) noexcept {
    if (!done.more()) at.flags_ &= ~flag::receive_cancelled;
    if (source_.polls_first()) {
        if (cold_of(at).chunk == nullptr) return polled(at, done);
        at.flags_ &= ~flag::polled;
    }
    const std::span<std::byte> bytes = take_bytes(at, done);
    if (!bytes.empty()) {
        ++counters_.messages;
        counters_.bytes_received += bytes.size();
        turn_bytes_ += bytes.size();
        cold_of(at).received_at = cold_of(at).active_at = now_;
        keep_chunk(at, bytes);
        return apply(at, done.more() ? close_event::received : close_event::received_last);
    }
    if (done.more()) return;
    if (done.res == -ENOBUFS) starve(at);
    if (done.res == 0) return apply(at, close_event::recv_end);
    if (is_passing(done.res)) return apply(at, close_event::recv_stopped);
    fail(at, close_event::recv_failed, -done.res);
}

// --- unread bytes: the ring's, then the chunks' ---

std::uint32_t manager_state::unread_in(std::uint32_t index) const noexcept {
    const ring_record& ring = const_cast<manager_state*>(this)->rings_[index];
    return ring.buffer->readable_bytes() - ring.held;
}

std::span<const std::byte> manager_state::readable(const socket& at) const noexcept {
    auto& self = const_cast<manager_state&>(*this);
    if (const std::uint32_t bytes = ring_unread(at); bytes != 0) {
        const ring_record& ring = self.rings_[at.in_];
        return ring.buffer->readable().subspan(ring.held);
    }
    if (at.last_chunk_ == none) return {};
    const chunk_record& first = self.chunks_[self.chunks_[at.last_chunk_].next];
    return {first.begin + first.read, first.bytes - first.read};
}

void manager_state::keep_chunk(socket& at, std::span<std::byte> bytes) noexcept {
    const auto count = static_cast<std::uint32_t>(bytes.size());
    const bool behind_ring = at.last_chunk_ == none && ring_unread(at) != 0;
    const std::uint32_t index = behind_ring && append_to_ring(at, bytes) ? none : chunks_.take();
    if (index == none) {
        // Copied; or there is no memory for a record of it: as if the system had had none.
        const bool copied = behind_ring;
        source_.give_back(bytes);
        chunks_recycled_ = true;
        if (!copied) return abort(at, close_reason::failed, ENOMEM);
    } else {
        chunk_record& made = chunks_[index];
        made = {.begin = bytes.data(), .bytes = count, .next = index, .refs = 1};
        if (at.last_chunk_ != none) {
            made.next = chunks_[at.last_chunk_].next;
            chunks_[at.last_chunk_].next = index;
        }
        at.last_chunk_ = index;
    }
    at.unread_ += count;
    if (at.unread_ >= options_.buffer_bytes) at.flags_ |= flag::full;
}

bool manager_state::append_to_ring(socket& at, std::span<const std::byte> bytes) noexcept {
    ring_buffer& buffer = *rings_[at.in_].buffer;
    if (buffer.writable_bytes() < bytes.size()) return false;
    reclaim_mirrored(buffer.memory(), buffer.write_offset(), bytes.size());
    std::memcpy(buffer.writable().data(), bytes.data(), bytes.size());
    buffer.commit_write(bytes.size());
    counters_.bytes_copied += bytes.size();
    return true;
}

// Moves what the program has left of the turn's chunks into the connection's own buffer, as far as
// there is room: then it is one range again, and the chunks are everybody's.
void manager_state::join_chunks(socket& at) noexcept {
    if (!attach_ring(at)) return;
    ring_buffer& buffer = *rings_[at.in_].buffer;
    const std::uint32_t was_readable = static_cast<std::uint32_t>(readable(at).size());
    while (at.last_chunk_ != none && !buffer.full()) {
        chunk_record& first = chunks_[chunks_[at.last_chunk_].next];
        const std::uint32_t bytes = std::min(first.bytes - first.read, buffer.writable_bytes());
        reclaim_mirrored(buffer.memory(), buffer.write_offset(), bytes);
        std::memcpy(buffer.writable().data(), first.begin + first.read, bytes);
        buffer.commit_write(bytes);
        counters_.bytes_copied += bytes;
        first.read += bytes;
        if (first.read == first.bytes) pop_chunk(at);
    }
    settle_ring_of(at);
    if (readable(at).size() > was_readable) announce(at, event_bit::received);
}

// Precondition: the first chunk was read in full.
void manager_state::pop_chunk(socket& at) noexcept { unref_chunk(unlink_chunk(at)); }

// The first one, which is now in nobody's queue.
std::uint32_t manager_state::unlink_chunk(socket& at) noexcept {
    const std::uint32_t first = chunks_[at.last_chunk_].next;
    if (first == at.last_chunk_) {
        at.last_chunk_ = none;
    } else {
        chunks_[at.last_chunk_].next = chunks_[first].next;
    }
    return first;
}

void manager_state::unref_chunk(std::uint32_t index) noexcept {
    chunk_record& which = chunks_[index];
    if (--which.refs != 0) return;
    free_chunk(which);
    chunks_.give_back(index);
}

void manager_state::free_chunk(chunk_record& which) noexcept {
    if (which.owned) {
        owned_bytes_ -= which.bytes;
        reclaim({which.begin, which.bytes});
        delete[] which.begin;
        return;
    }
    source_.give_back({which.begin, which.bytes});
    chunks_recycled_ = true;
}

void manager_state::consume(socket& at, std::size_t bytes) noexcept {
    const std::uint32_t from_ring = ring_unread(at);
    const auto count = static_cast<std::uint32_t>(std::min(bytes, readable(at).size()));
    if (count == 0) return;
    at.unread_ -= count;
    if (from_ring != 0) {
        free_from_ring(at.in_, count);
        settle_ring_of(at);
        return after_consumption(at, count == from_ring);
    }
    chunk_record& first = chunks_[chunks_[at.last_chunk_].next];
    lend({first.begin + first.read, count});
    first.read += count;
    const bool finished = first.read == first.bytes;
    if (finished) pop_chunk(at);
    after_consumption(at, finished);
}

// `moved_on`: readable() shows other bytes now, of which the program does not know.
void manager_state::after_consumption(socket& at, bool moved_on) noexcept {
    if (at.unread_ == 0) {
        const bool is_told = (at.flags_ & flag::end_told) != 0;
        if ((at.facts_ & fact::ended) != 0 && !is_told) announce(at, event_bit::peer_closed);
    } else if (moved_on) {
        announce(at, event_bit::received);
    }
    if ((at.flags_ & flag::full) == 0 || at.unread_ > options_.buffer_bytes / 2) return;
    at.flags_ &= ~flag::full;
    mark_dirty(at);
}

void manager_state::discard_unread(socket& at) noexcept {
    counters_.bytes_discarded += at.unread_;
    at.unread_ = 0;
    while (at.last_chunk_ != none) {
        const chunk_record& first = chunks_[chunks_[at.last_chunk_].next];
        lend({first.begin + first.read, first.bytes - first.read});  // Pieces may keep the rest.
        pop_chunk(at);
    }
    if (const std::uint32_t bytes = ring_unread(at); bytes != 0) free_from_ring(at.in_, bytes);
    settle_ring_of(at);
    at.pending_ &= static_cast<std::uint16_t>(~event_bit::received);
    at.flags_ &= ~flag::full;
}

void manager_state::set_paused(socket& at, bool paused) noexcept {
    at.flags_ = paused ? at.flags_ | flag::paused : at.flags_ & ~flag::paused;
    mark_dirty(at);
}

// --- the connection's own buffer ---

bool manager_state::attach_ring(socket& at) noexcept {
    if (at.in_ != none) return true;
    ring_buffer* const buffer = borrow_buffer(at);
    if (buffer == nullptr) return false;
    const std::uint32_t index = rings_.take();
    if (index == none) {
        return_buffer(buffer);
        return false;
    }
    rings_[index] = ring_record{.buffer = buffer, .owner = slot_of(at)};
    at.in_ = index;
    return true;
}

// `bytes` from the unread ones are done with. They are free once the forwarded ones before are.
void manager_state::free_from_ring(std::uint32_t index, std::uint32_t bytes) noexcept {
    ring_record& ring = rings_[index];
    lend_mirrored(ring.buffer->memory(), ring.buffer->read_offset() + ring.held, bytes);
    if (ring.held == 0) {
        ring.buffer->commit_read(bytes);
        return;
    }
    ring.held += bytes;
    pieces_[ring.last_piece].behind += bytes;
}

// Gives back what is free at the head of the ring.
void manager_state::settle_ring(std::uint32_t index) noexcept {
    ring_record& ring = rings_[index];
    while (ring.first_piece != none) {
        piece_record& first = pieces_[ring.first_piece];
        const std::uint32_t bytes = first.freed + (first.done ? first.behind : 0);
        ring.buffer->commit_read(bytes);
        ring.held -= bytes;
        first.freed = 0;
        if (!first.done) return;
        const std::uint32_t finished = ring.first_piece;
        ring.first_piece = first.next_in_ring;
        if (ring.first_piece == none) ring.last_piece = none;
        pieces_.give_back(finished);
    }
    if (!ring.orphan) return settle_ring_of(sockets_[ring.owner]);
    return_buffer(ring.buffer);
    rings_.give_back(index);
}

// An empty buffer is lent no longer.
void manager_state::settle_ring_of(socket& at) noexcept {
    if (at.in_ == none || !rings_[at.in_].buffer->empty()) return;
    return_buffer(rings_[at.in_].buffer);
    rings_.give_back(at.in_);
    at.in_ = none;
}

// The connection ends; its buffer stays until what was forwarded from it is sent.
void manager_state::detach_ring(socket& at) noexcept {
    discard_unread(at);
    if (at.in_ == none) return;
    rings_[at.in_].orphan = true;
    at.in_ = none;
}

// --- want of chunks ---

void manager_state::starve(socket& at) noexcept {
    ++counters_.starvations;
    if ((at.flags_ & flag::starved) != 0) return;
    at.flags_ |= flag::starved;
    starved_.push(slot_of(at), [this](std::uint32_t slot) -> std::uint32_t& {
        return cold_[slot].next_starved;
    });
}

// As many as find a chunk each, the longest waiting first. While others are left there is no sleep:
// whichever has data must find the chunks.
void manager_state::feed_starved() noexcept {
    if (source_.available() == 0) {
        if (!relief_.valid()) {
            relief_ = wheel_.arm(tick_after(relief_period), user_data{timer_kind::relief});
        }
        return;
    }
    const auto link = [this](std::uint32_t slot) -> std::uint32_t& {
        return cold_[slot].next_starved;
    };
    for (std::uint32_t left = source_.available(); left > 0 && !starved_.empty(); --left) {
        socket& at = sockets_[starved_.pop(link)];
        at.flags_ &= ~flag::starved;
        mark_dirty(at);
    }
}

// Chunks that a program does not read are copied, so that others can have them.
void manager_state::own_unread(socket& at) noexcept {
    if (at.last_chunk_ == none) return;
    std::uint32_t index = at.last_chunk_;
    do {
        chunk_record& which = chunks_[index];
        if (!which.owned && which.refs == 1) {
            std::byte* const memory = own_memory(which.bytes);
            if (memory == nullptr) return abort(at, close_reason::failed, ENOBUFS);
            reclaim({which.begin, which.bytes});  // What was consumed is copied along.
            std::memcpy(memory, which.begin, which.bytes);
            free_chunk(which);
            which.begin = memory;
            which.owned = true;
        }
        index = which.next;
    } while (index != at.last_chunk_);
}

std::byte* manager_state::own_memory(std::uint32_t bytes) noexcept {
    if (owned_bytes_ + bytes > owned_bytes_max) return nullptr;
    auto* const memory = new (std::nothrow) std::byte[bytes];
    if (memory != nullptr) owned_bytes_ += bytes;
    return memory;
}

}  // namespace ioring::detail
