// SPDX-License-Identifier: MIT
// group_state.cpp - a shared group's buffers: posted, filled chunk by chunk, recycled.
#include "buffer/group_state.hpp"

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

#include "buffer/group_checks.hpp"
#include "platform/text.hpp"

namespace ioring::detail {
namespace {

using platform::explain;

std::error_code no_memory(std::string* why) noexcept {
    explain(why, "not enough memory for a buffer group");
    return std::make_error_code(std::errc::not_enough_memory);
}

std::error_code validate(const group_options& options, std::string* why) noexcept {
    if (const auto error = check_group_id("group_options", options.group, why)) return error;
    if (const auto error = check_range("group_options::buffers", options.buffers, 1,
                                       group_options::buffers_max, why)) {
        return error;
    }
    return check_range("group_options::buffer_bytes", options.buffer_bytes, 1,
                       group_options::buffer_bytes_max, why);
}

}  // namespace

page_memory allocate_pages(std::size_t bytes) noexcept {
    void* const memory =
        ::operator new (bytes, std::align_val_t{provided_ring::alignment()}, std::nothrow);
    return page_memory{static_cast<std::byte*>(memory)};
}

void page_deleter::operator()(std::byte* memory) const noexcept {
    ::operator delete (memory, std::align_val_t{provided_ring::alignment()});
}

bool start_marks::reserve(std::size_t bytes) noexcept {
    words_.reset(static_cast<std::uint64_t*>(std::calloc(bytes / 64 + 1, sizeof(std::uint64_t))));
    return words_ != nullptr;
}

std::size_t start_marks::next(std::size_t from, std::size_t end) const noexcept {
    while (from < end) {
        const std::uint64_t left = words_.get()[from / 64] >> (from % 64);
        if (left != 0) return std::min(end, from + static_cast<unsigned>(std::countr_zero(left)));
        from = (from / 64 + 1) * 64;
    }
    return end;
}

group_state::group_state() noexcept { release = &release_all; }

std::error_code group_state::create(const std::shared_ptr<ring_state>& ring,
                                    std::optional<std::span<std::byte>> memory,
                                    const group_options& options, group_state*& out,
                                    std::string* why) noexcept {
    if (const auto error = validate(options, why)) return error;
    if (const auto error = check_ring(ring.get(), why)) return error;
    if (memory.has_value() &&
        memory->size() / options.buffer_bytes < std::size_t{options.buffers}) {
        explain(why, options.buffers, " buffers of ", options.buffer_bytes,
                " bytes do not fit into ", memory->size(), " bytes");
        return std::make_error_code(std::errc::invalid_argument);
    }
    auto* const made = new (std::nothrow) group_state;
    if (made == nullptr) return no_memory(why);
    made->choose_kind(options, ring->probe());
    std::error_code error = made->prepare(memory, options, why);
    if (!error) error = made->records_->add_to(*ring, options.group, made->incremental_, why);
    if (error) {
        delete made;
        return error;
    }
    made->ring_ = ring;
    out = made;
    return {};
}

void group_state::choose_kind(const group_options& options, const probe_result& probe) noexcept {
    buffers_ = options.buffers;
    buffer_bytes_ = options.buffer_bytes;
    incremental_ = options.incremental && probe.has(feature::incremental_buffers);
    if (!options.incremental) {
        reason_ = "not asked for";
    } else if (!incremental_) {
        reason_ = "this system has no incremental buffers (Linux 6.12 has)";
        const std::uint32_t wanted = options.plain_buffer_bytes;
        if (wanted != 0 && wanted < buffer_bytes_) {
            const std::uint64_t all = std::uint64_t{buffers_} * buffer_bytes_;
            buffer_bytes_ = wanted;
            buffers_ = static_cast<std::uint32_t>(
                std::min<std::uint64_t>(all / wanted, group_options::buffers_max));
        }
    }
    const std::uint32_t most = options.posted_bytes_max;
    const bool bounded = incremental_ && most != 0;
    posted_max_ = bounded ? (most - 1) / buffer_bytes_ + 1 : buffers_;
    if (std::has_single_bit(buffer_bytes_)) buffer_shift_ = std::countr_zero(buffer_bytes_);
}

std::error_code group_state::prepare(std::optional<std::span<std::byte>> memory,
                                     const group_options& options, std::string* why) noexcept {
    // What the caller gave, or the same amount; in other pieces, perhaps.
    const std::size_t bytes = std::size_t{options.buffers} * options.buffer_bytes;
    if (!memory.has_value()) own_data_ = allocate_pages(bytes);
    data_ = memory.has_value() ? memory->data() : own_data_.get();
    record_memory_ = allocate_pages(provided_ring::records_bytes(buffers_));
    slots_.reset(new (std::nothrow) buffer_slot[buffers_]);
    const bool marked = !incremental_ || starts_.reserve(bytes);
    if (data_ == nullptr || record_memory_ == nullptr || slots_ == nullptr || !marked) {
        return no_memory(why);
    }
    records_.emplace(record_memory_.get(), buffers_);
    for (std::uint32_t buffer = buffers_; buffer > 0; --buffer) set_free(buffer - 1);
    post_some();
    publish();
    return {};
}

void group_state::set_free(std::uint32_t buffer) noexcept {
    slots_[buffer] = {.filled = 0, .chunks = 0, .next_free = first_free_, .posted = false};
    first_free_ = buffer;
    ++free_;
    lend({data_of(buffer), buffer_bytes_});
}

void group_state::post_some() noexcept {
    for (; posted_ < posted_max_ && free_ != 0; ++posted_, --free_) {
        const std::uint32_t buffer = first_free_;
        first_free_ = slots_[buffer].next_free;
        slots_[buffer].posted = true;
        records_->post(static_cast<std::uint16_t>(buffer), data_of(buffer), buffer_bytes_);
    }
}

std::uint32_t group_state::buffer_at(std::size_t offset) const noexcept {
    return static_cast<std::uint32_t>(buffer_shift_ >= 0 ? offset >> buffer_shift_
                                                         : offset / buffer_bytes_);
}

std::span<std::byte> group_state::take(const cqe& done) noexcept {
    if (!done.has_buffer()) {
        if (done.res > 0) ++refused_;
        return {};
    }
    const std::uint32_t buffer = done.buffer_id();
    const auto bytes = static_cast<std::uint32_t>(std::max(done.res, 0));
    if (buffer >= buffers_ || !slots_[buffer].posted ||
        bytes > buffer_bytes_ - slots_[buffer].filled) {
        ++refused_;
        return {};
    }
    buffer_slot& slot = slots_[buffer];
    std::byte* const begin = data_of(buffer) + slot.filled;
    if (bytes > 0) {
        reclaim({begin, bytes});
        slot.filled += bytes;
        ++slot.chunks;
        ++chunks_out_;
        if (incremental_) starts_.set(static_cast<std::size_t>(begin - data_));
    }
    const bool kernel_keeps_it = incremental_ && (done.flags & cqe_flag::buffer_more) != 0;
    if (!kernel_keeps_it) {
        slot.posted = false;
        --posted_;
        if (slot.chunks == 0) set_free(buffer);
        if (free_ != 0) {
            post_some();
            publish();
        }
    }
    return {begin, bytes};
}

bool group_state::recycle(std::span<const std::byte> chunk) noexcept {
    if (chunk.empty()) return true;
    // Numbers, because the chunk may be anywhere.
    const std::size_t offset =
        reinterpret_cast<std::uintptr_t>(chunk.data()) - reinterpret_cast<std::uintptr_t>(data_);
    const bool inside = offset < std::size_t{buffers_} * buffer_bytes_;
    const std::uint32_t buffer = inside ? buffer_at(offset) : 0;
    const bool out = inside && (incremental_ ? starts_.clear(offset)
                                             : slots_[buffer].chunks == 1 &&
                                                   offset == std::size_t{buffer} * buffer_bytes_);
    if (!out) {
        ++refused_;
        return false;
    }
    buffer_slot& slot = slots_[buffer];
    --slot.chunks;
    --chunks_out_;
    if (slot.chunks == 0 && !slot.posted) {
        set_free(buffer);
        post_some();
    } else if constexpr (address_sanitizer) {
        // It ends where the next one begins that is still out.
        const std::size_t filled_end = std::size_t{buffer} * buffer_bytes_ + slot.filled;
        lend({data_ + offset, starts_.next(offset, filled_end) - offset});
    }
    return true;
}

void group_state::close() noexcept {
    if (own_data_ == nullptr) {
        reclaim(memory());
        data_ = nullptr;  // The caller's from now on.
    } else {
        lend(memory());
    }
    // The ring must not be held by what it may hold for ever itself.
    const std::shared_ptr<ring_state> ring = std::move(ring_);
    switch (records_->remove_from(*ring)) {
        case provided_ring::removal::done:
        case provided_ring::removal::no_ring:
            // A send from a chunk may still be in flight.
            ring->retire(*this);
            break;
        case provided_ring::removal::forked: delete this; break;
        case provided_ring::removal::refused:
            break;  // Leaked: the kernel will give its buffers to the next receive of that group.
    }
}

void group_state::release_all(retired_memory* self) noexcept {
    delete static_cast<group_state*>(self);
}

}  // namespace ioring::detail
