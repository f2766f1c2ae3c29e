// SPDX-License-Identifier: MIT
// shared_pool.cpp - the shared chunks' way from a receive to the end of a send.
#include "echo/shared_pool.hpp"

#include <algorithm>
#include <cerrno>
#include <new>

#include <fmt/core.h>

#include "echo/tags.hpp"

namespace echo {

shared_pool::shared_pool(ioring::ring& ring, connection_table& table, ioring::buffer_group& group,
                         std::uint32_t buffer_bytes, bool vectorized)
    : ring_{ring},
      table_{table},
      group_{group},
      slots_(table.size()),
      owned_max_bytes_{std::max(owned_max_bytes_least, std::uint64_t{table.size()} * buffer_bytes)},
      vectorized_{vectorized} {
    starved_.reserve(table.size());
}

shared_pool::~shared_pool() {
    // Only after a stop that was given up: what is in flight may still read the owned chunks.
    for (std::uint32_t slot = 0; slot < table_.size(); ++slot) {
        if (!table_[slot].sending) drop(slot);
    }
}

std::error_code shared_pool::open(std::uint32_t slot) noexcept {
    slots_[slot].unsent.reserve();
    return {};
}

void shared_pool::close(std::uint32_t slot) noexcept {
    shared& at = slots_[slot];
    if (!at.starved) return;
    at.starved = false;
    starved_.erase(std::find(starved_.begin(), starved_.end(), slot));
}

void shared_pool::received(std::uint32_t slot, const ioring::cqe& done) noexcept {
    shared& at = slots_[slot];
    if (const auto bytes = group_.take(done); !bytes.empty()) at.unsent.push(bytes);
    if (done.res != -ENOBUFS || at.starved) return;
    at.starved = true;
    starved_.push_back(slot);
    ++starvations_;
}

bool shared_pool::prepare_send(std::uint32_t slot, std::uint64_t user_data,
                               std::uint32_t& bytes) noexcept {
    shared& at = slots_[slot];
    const ioring::fd socket = table_[slot].socket;
    const auto what = at.unsent.gather(at.pieces);
    const ioring::sqe* entry = nullptr;
    if (what.pieces == 1) {
        entry = ring_.prepare_send(
            socket, {static_cast<const std::byte*>(at.pieces[0].iov_base), what.bytes}, user_data);
    } else if (vectorized_) {
        entry = ring_.prepare_send_vectorized(socket, at.pieces.data(), what.pieces, user_data);
    } else {
        at.message = ::msghdr{};
        at.message.msg_iov = at.pieces.data();
        at.message.msg_iovlen = static_cast<decltype(at.message.msg_iovlen)>(what.pieces);
        entry = ring_.prepare_sendmsg(socket, &at.message, user_data);
    }
    bytes = what.bytes;
    at.send_period = period_;
    return entry != nullptr;
}

void shared_pool::sent(std::uint32_t slot, std::uint32_t bytes) noexcept {
    shared& at = slots_[slot];
    consume(at, bytes);
    if (!at.evicting) return;
    at.evicting = false;
    own(slot, 0);
}

void shared_pool::consume(shared& at, std::uint64_t bytes) noexcept {
    at.unsent.consume(bytes, [this](const chunk& finished) { release(finished); });
}

void shared_pool::release(const chunk& finished) noexcept {
    if (finished.owned) {
        owned_bytes_ -= finished.bytes;
        delete[] finished.data;
    } else {
        group_.recycle_later({finished.data, finished.bytes});
        recycled_ = true;
    }
}

// Called while connections starve. What was sent within the last period may still be on its way.
void shared_pool::relieve() noexcept {
    for (std::uint32_t slot = 0; slot < table_.size(); ++slot) {
        connection& link = table_[slot];
        shared& at = slots_[slot];
        if (!link.open || !link.sending || at.send_period == period_ || link.send_cancelled) {
            continue;
        }
        if (at.unsent.front_is_owned()) {
            if (at.unsent.chunks() > at.unsent.owned_chunks()) own(slot, 1);
        } else {
            link.send_cancelled = at.evicting =
                ring_.prepare_cancel(tag(op::send, slot, link.generation),
                                     tag(op::cancel, slot, link.generation)) != nullptr;
        }
    }
    ++period_;
}

// Moves the chunks from `first` on out of the group; those before are in flight.
void shared_pool::own(std::uint32_t slot, std::uint32_t first) noexcept {
    chunk_queue& unsent = slots_[slot].unsent;
    const std::uint32_t bytes = unsent.bytes_from(first);
    if (bytes == 0) return;
    std::byte* const memory =
        owned_bytes_ + bytes <= owned_max_bytes_ ? new (std::nothrow) std::byte[bytes] : nullptr;
    if (memory == nullptr) return disconnect(slot);
    owned_bytes_ += bytes;
    ++evictions_;
    unsent.own_from(first, memory, [this](const chunk& moved) { release(moved); });
}

void shared_pool::disconnect(std::uint32_t slot) noexcept {
    connection& link = table_[slot];
    ++disconnected_;
    link.failed = link.ended = link.peer_ended = true;
    if (!link.sending || link.send_cancelled) return;
    link.send_cancelled = ring_.prepare_cancel(tag(op::send, slot, link.generation),
                                               tag(op::cancel, slot, link.generation)) != nullptr;
}

std::string shared_pool::describe() const {
    return fmt::format("Chunks: {} of {} free, Starved: {} times, Evicted: {}, Disconnected: {}",
                       group_.unused(), group_.buffers(), starvations_, evictions_, disconnected_);
}

}  // namespace echo
