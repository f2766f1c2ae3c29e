// SPDX-License-Identifier: MIT
// private_group_state.cpp - pieces of a mirrored buffer on their way round.
#include "buffer/private_group_state.hpp"

#include <memory>
#include <new>
#include <utility>

#include "buffer/group_checks.hpp"
#include "buffer/group_state.hpp"
#include "ioring/detail/lent_memory.hpp"
#include "platform/text.hpp"

namespace ioring::detail {
namespace {

using platform::explain;

std::error_code invalid() noexcept { return std::make_error_code(std::errc::invalid_argument); }

std::error_code validate(const ring_buffer& buffer, const private_group_options& options,
                         std::string* why) noexcept {
    if (const auto error = check_group_id("private_group_options", options.group, why)) {
        return error;
    }
    if (const auto error = check_range("private_group_options::pieces", options.pieces, 2,
                                       private_group_options::pieces_max, why)) {
        return error;
    }
    if (buffer.capacity() == 0 || buffer.capacity() % options.pieces != 0) {
        explain(why, "a buffer of ", buffer.capacity(), " bytes cannot be cut into ",
                options.pieces, " equal pieces");
        return invalid();
    }
    if (buffer.lent()) {
        explain(why, "the buffer is lent to a receive or to another group");
        return std::make_error_code(std::errc::device_or_resource_busy);
    }
    if (!buffer.empty()) {
        explain(why, "the buffer holds ", buffer.readable_bytes(), " unread bytes");
        return invalid();
    }
    return {};
}

}  // namespace

private_group_state::private_group_state(void* records, ring_buffer& buffer,
                                         std::uint32_t pieces) noexcept
    : records_{records, pieces},
      memory_{static_cast<std::byte*>(records)},
      buffer_{buffer},
      pieces_{pieces},
      piece_bytes_{buffer.capacity() / pieces},
      posted_end_{buffer.tail()} {
    release = &release_all;
}

std::error_code private_group_state::create(const std::shared_ptr<ring_state>& ring,
                                            ring_buffer& buffer,
                                            const private_group_options& options,
                                            private_group_state*& out, std::string* why) noexcept {
    if (const auto error = validate(buffer, options, why)) return error;
    if (const auto error = check_ring(ring.get(), why)) return error;
    if (!ring->probe().has(feature::incremental_buffers)) {
        explain(why, "a private group needs incremental buffers, which this system has not (Linux ",
                "6.12 has)");
        return std::make_error_code(std::errc::not_supported);
    }
    // The records begin a page; this object fits into what they leave of it.
    static_assert(sizeof(buffer_record) % alignof(private_group_state) == 0);
    const std::size_t records_bytes = provided_ring::records_bytes(options.pieces);
    page_memory memory = allocate_pages(records_bytes + sizeof(private_group_state));
    if (memory == nullptr) {
        explain(why, "not enough memory for a buffer group");
        return std::make_error_code(std::errc::not_enough_memory);
    }
    std::byte* const records = memory.release();
    auto* const made =
        new (records + records_bytes) private_group_state{records, buffer, options.pieces};
    buffer.rewind();
    for (std::uint32_t piece = 0; piece < options.pieces; ++piece) made->post_next();
    made->records_.publish();
    if (const std::error_code error =
            made->records_.add_to(*ring, options.group, /*incremental=*/true, why)) {
        destroy(made);
        return error;
    }
    made->ring_ = ring;
    lend(buffer.memory());
    buffer.lent_ = ring_buffer::lent_to_group;
    out = made;
    return {};
}

void private_group_state::post_next() noexcept {
    std::byte* const begin = buffer_.base_ + std::size_t{next_to_post_} * piece_bytes_;
    records_.post(static_cast<std::uint16_t>(next_to_post_), begin, piece_bytes_);
    next_to_post_ = next_to_post_ + 1 == pieces_ ? 0 : next_to_post_ + 1;
    posted_end_ += piece_bytes_;
}

std::span<std::byte> private_group_state::take(const cqe& done) noexcept {
    const bool has_bytes = done.res > 0;
    if (!has_bytes) return {};
    const auto bytes = static_cast<std::uint32_t>(done.res);
    if (!done.has_buffer() || done.buffer_id() != next_to_fill_ || bytes > piece_bytes_ - filled_ ||
        bytes > posted_bytes()) {
        ++refused_;
        return {};
    }
    std::byte* const begin = buffer_.base_ + buffer_.write_offset();
    reclaim_mirrored(buffer_.memory(), buffer_.write_offset(), bytes);
    buffer_.tail_ += bytes;
    filled_ += bytes;
    if (filled_ == piece_bytes_) {
        filled_ = 0;
        next_to_fill_ = next_to_fill_ + 1 == pieces_ ? 0 : next_to_fill_ + 1;
    }
    return {begin, bytes};
}

std::uint32_t private_group_state::recycle() noexcept {
    std::uint32_t posted = 0;
    // The piece that would come next is the one that begins a whole buffer before it: all of that
    // must have been read.
    while (posted_end_ - buffer_.head() + piece_bytes_ <= buffer_.capacity()) {
        lend_mirrored(buffer_.memory(), std::size_t{next_to_post_} * piece_bytes_, piece_bytes_);
        post_next();
        ++posted;
    }
    if (posted > 0) records_.publish();
    return posted;
}

void private_group_state::reset() noexcept {
    buffer_.commit_read(buffer_.readable_bytes());
    recycle();
}

void private_group_state::close() noexcept {
    // The ring must not be held by what it may hold for ever itself.
    const std::shared_ptr<ring_state> ring = std::move(ring_);
    switch (records_.remove_from(*ring)) {
        case provided_ring::removal::done:
        case provided_ring::removal::forked: end(); break;
        case provided_ring::removal::no_ring:
            // Released now, or never: when the ring could not be drained.
            ring->retire(*this);
            break;
        case provided_ring::removal::refused:
            break;  // Leaked, and the buffer stays lent: the kernel may write to it.
    }
}

void private_group_state::end() noexcept {
    // The kernel picks a buffer only while it runs a receive, never for one that waits: with the
    // group gone from the ring, nothing is written any more.
    buffer_.lent_ = ring_buffer::not_lent;
    reclaim(buffer_.memory());
    destroy(this);
}

void private_group_state::destroy(private_group_state* state) noexcept {
    const page_memory memory{state->memory_};
    state->~private_group_state();
}

void private_group_state::release_all(retired_memory* self) noexcept {
    static_cast<private_group_state*>(self)->end();
}

}  // namespace ioring::detail
