// SPDX-License-Identifier: MIT
// chunk_source.cpp - chunks of a buffer group, or of plain memory.
#include "socket/chunk_source.hpp"

#include <algorithm>
#include <cassert>
#include <new>
#include <utility>

#include "ioring/detail/lent_memory.hpp"
#include "ioring/probe.hpp"
#include "platform/text.hpp"

namespace ioring::detail {
namespace {

constexpr std::align_val_t page{4096};

}  // namespace

void chunk_source::page_deleter::operator()(std::byte* memory) const noexcept {
    reclaim({memory, bytes});
    ::operator delete(memory, page);
}

std::error_code chunk_source::create(ring& owner, std::uint32_t chunks, std::uint32_t chunk_bytes,
                                     chunk_source& out, std::string* why) noexcept {
    chunk_source made;
    if (owner.probe().has(feature::buffer_rings)) {
        const group_options shared{.buffers = chunks,
                                   .buffer_bytes = chunk_bytes,
                                   .plain_buffer_bytes = plain_chunk_bytes,
                                   .posted_bytes_max = turn_bytes_max};
        if (const auto error = buffer_group::create(owner, shared, made.group_, why)) return error;
    } else if (const auto error = made.prepare(chunks, chunk_bytes, why)) {
        return error;
    }
    out = std::move(made);
    return {};
}

// As many bytes, in chunks that are not too large for one message.
std::error_code chunk_source::prepare(std::uint32_t chunks, std::uint32_t chunk_bytes,
                                      std::string* why) noexcept {
    bytes_ = std::min(chunk_bytes, plain_chunk_bytes);
    const std::uint64_t all = std::uint64_t{chunks} * chunk_bytes;
    count_ = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(all / bytes_, group_options::buffers_max));
    const std::size_t whole = std::size_t{count_} * bytes_;
    memory_ = decltype(memory_){static_cast<std::byte*>(::operator new(whole, page, std::nothrow)),
                                page_deleter{whole}};
    free_.reset(new (std::nothrow) std::uint32_t[count_]);
    if (memory_ == nullptr || free_ == nullptr) {
        platform::explain(why, "not enough memory for ", count_, " chunks of ", bytes_, " bytes");
        return std::make_error_code(std::errc::not_enough_memory);
    }
    lend({memory_.get(), whole});
    // The one that was given back last, which may be in a cache, is taken first.
    for (; free_count_ < count_; ++free_count_) free_[free_count_] = count_ - 1 - free_count_;
    return {};
}

std::span<std::byte> chunk_source::acquire() noexcept {
    if (free_count_ == 0) return {};
    return {memory_.get() + std::size_t{free_[--free_count_]} * bytes_, bytes_};
}

void chunk_source::give_back(std::span<std::byte> chunk) noexcept {
    if (!polls_first()) {
        (void)group_.recycle_later(chunk);
        return;
    }
    const auto offset = static_cast<std::size_t>(chunk.data() - memory_.get());
    assert(offset % bytes_ == 0 && free_count_ < count_);
    lend({chunk.data(), bytes_});
    free_[free_count_++] = static_cast<std::uint32_t>(offset / bytes_);
}

}  // namespace ioring::detail
