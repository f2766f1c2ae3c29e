// SPDX-License-Identifier: MIT
// pool_state.cpp - the life of pooled buffers: made in slabs, handed out, taken back, retired.
#include "buffer/pool_state.hpp"

#include <algorithm>
#include <cassert>
#include <memory>
#include <new>
#include <utility>

#include "base/error_words.hpp"
#include "buffer/mirrored_memory.hpp"
#include "ioring/detail/lent_memory.hpp"
#include "platform/text.hpp"

namespace ioring::detail {
namespace {

using platform::explain;

// What a kernel pins as one buffer: a slab over it is registered in parts.
constexpr std::size_t registration_bytes_max = std::size_t{1} << 30U;

std::error_code error_code_of(std::errc code) noexcept { return std::make_error_code(code); }

std::error_code out_of_range(std::string* why, const char* name, std::uint64_t value,
                             std::uint64_t least, std::uint64_t most) noexcept {
    explain(why, "pool_options::", name, " is ", value, ", must be ", least, " to ", most);
    return error_code_of(std::errc::invalid_argument);
}

std::error_code validate(const pool_options& options, std::string* why) noexcept {
    if (const auto error = check_capacity(options.buffer_bytes, options.huge_pages, why)) {
        return error;
    }
    if (options.slab_buffers == 0 || options.slab_buffers > pool_options::slab_buffers_max) {
        return out_of_range(why, "slab_buffers", options.slab_buffers, 1,
                            pool_options::slab_buffers_max);
    }
    const std::uint32_t slabs_most = pool_options::buffers_max / options.slab_buffers;
    if (options.slabs_max == 0 || options.slabs_max > slabs_most) {
        return out_of_range(why, "slabs_max", options.slabs_max, 1, slabs_most);
    }
    if (options.slabs_initial > options.slabs_max) {
        return out_of_range(why, "slabs_initial", options.slabs_initial, 0, options.slabs_max);
    }
    return {};
}

}  // namespace

bool index_stack::reserve(std::uint32_t indices_max) noexcept {
    assert(count_ == 0);
    // Not zeroed: the system then gives memory only for what is used.
    indices_.reset(new (std::nothrow) std::uint32_t[indices_max]);
    indices_max_ = indices_ == nullptr ? 0 : indices_max;
    return indices_ != nullptr;
}

pool_state::pool_state(const std::shared_ptr<ring_state>& ring, const pool_options& options)
    : ring_{ring}, options_{options} {
    release = &release_all;
    stats_.slabs_max = options.slabs_max;
    slabs_.reserve(options.slabs_max);
    ids_.resize(options.slab_buffers);
}

pool_state::~pool_state() {
    for (const auto* each : {&slabs_, &fallbacks_}) {
        for (const platform::mirror_map& map : *each) reclaim({map.data(), map.mapped_bytes()});
    }
    // The buffers own nothing, so that they need no destructor.
    ::operator delete (buffers_, std::align_val_t{alignof(ring_buffer)});
}

std::error_code pool_state::create(const std::shared_ptr<ring_state>& ring,
                                   const pool_options& options, pool_state*& out,
                                   std::string* why) noexcept {
    if (ring == nullptr) {
        explain(why, "a buffer pool needs a ring");
        return error_code_of(std::errc::invalid_argument);
    }
    if (const std::error_code error = validate(options, why)) return error;
    pool_state* made = nullptr;
    (void)platform::with_memory([&] { made = new (std::nothrow) pool_state{ring, options}; });
    if (made == nullptr) {
        explain(why, "not enough memory for a buffer pool");
        return error_code_of(std::errc::not_enough_memory);
    }
    if (const std::error_code error = made->prepare(why)) {
        made->close();
        return error;
    }
    out = made;
    return {};
}

std::error_code pool_state::prepare(std::string* why) noexcept {
    buffers_ = static_cast<ring_buffer*>(::operator new (
        slots() * sizeof(ring_buffer), std::align_val_t{alignof(ring_buffer)}, std::nothrow));
    const bool ready = buffers_ != nullptr && free_.reserve(slab_slots()) &&
                       free_fallbacks_.reserve(slots() - slab_slots());
    if (!ready) {
        explain(why, "not enough memory to keep account of ", slots(), " buffers");
        return error_code_of(std::errc::not_enough_memory);
    }
    while (stats_.slabs < options_.slabs_initial) {
        if (const std::error_code error = add_slab(why)) return error;
    }
    return {};
}

// Registers the buffers of `memory` and constructs them from index `first` on.
std::error_code pool_state::add_buffers(std::uint32_t first, const platform::mirror_map& memory,
                                        std::string* why) noexcept {
    const std::size_t stride = 2 * memory.buffer_bytes();
    const std::size_t part_max = std::max<std::size_t>(1, registration_bytes_max / stride);
    const std::span<buffer_id> ids{ids_.data(), memory.count()};
    for (std::size_t done = 0; done < ids.size();) {
        const std::size_t count = std::min(part_max, ids.size() - done);
        std::error_code error = error_code_of(std::errc::not_enough_memory);
        (void)platform::with_memory([&] {
            error = ring_->register_buffers({memory.base(done), count * stride},
                                            ids.subspan(done, count));
        });
        if (error) {
            forget_ids(ids.first(done));
            explain(why, "cannot register ", ids.size(),
                    " buffers with the ring: ", [&] { return detail::error_words(error.value()); });
            return error;
        }
        done += count;
    }
    for (std::uint32_t index = 0; index < ids.size(); ++index) {
        ring_buffer* const buffer = std::construct_at(buffers_ + first + index);
        buffer->base_ = memory.base(index);
        buffer->capacity_ = options_.buffer_bytes;
        buffer->id_ = ids[index];
        buffer->pool_use_ = static_cast<std::uint8_t>(use::free);
    }
    lend({memory.data(), memory.mapped_bytes()});
    return {};
}

void pool_state::forget_ids(std::span<const buffer_id> ids) noexcept {
    for (const buffer_id id : ids) ring_->unregister_buffer(id);
}

std::error_code pool_state::add_slab(std::string* why) noexcept {
    if (stats_.slabs == options_.slabs_max) {
        explain(why, "all ", stats_.buffers, " buffers of ", stats_.slabs,
                " slabs are in use: raise pool_options::slabs_max");
        return error_code_of(std::errc::no_buffer_space);
    }
    platform::mirror_map memory;
    if (const auto error =
            platform::mirror_map::create(options_.buffer_bytes, options_.slab_buffers,
                                         {.huge_pages = options_.huge_pages}, memory, why)) {
        return error;
    }
    const std::uint32_t first = stats_.slabs * options_.slab_buffers;
    if (const std::error_code error = add_buffers(first, memory, why)) return error;
    stats_.huge_pages = memory.uses_huge_pages() && (stats_.slabs == 0 || stats_.huge_pages);
    slabs_.push_back(std::move(memory));  // Within the capacity that the constructor reserved.
    ++stats_.slabs;
    stats_.buffers += options_.slab_buffers;
    // The first buffer is on top.
    for (std::uint32_t index = options_.slab_buffers; index-- > 0;) free_.push(first + index);
    return {};
}

std::error_code pool_state::add_fallback(std::string* why) noexcept {
    if (!options_.fallback || stats_.fallbacks_mapped == pool_options::fallbacks_max) {
        return error_code_of(std::errc::no_buffer_space);
    }
    platform::mirror_map memory;
    if (const auto error = platform::mirror_map::create(
            options_.buffer_bytes, /*count=*/1, {.huge_pages = options_.huge_pages}, memory, why)) {
        return error;
    }
    if (!platform::with_memory([&] { fallbacks_.emplace_back(); })) {
        return error_code_of(std::errc::not_enough_memory);
    }
    const std::uint32_t index = slab_slots() + stats_.fallbacks_mapped;
    if (const std::error_code error = add_buffers(index, memory, why)) {
        fallbacks_.pop_back();
        return error;
    }
    fallbacks_.back() = std::move(memory);
    ++stats_.fallbacks_mapped;
    free_fallbacks_.push(index);
    return {};
}

ring_buffer* pool_state::hand_out(std::uint32_t index, use how) noexcept {
    ring_buffer& buffer = buffers_[index];
    assert(buffer.pool_use_ == static_cast<std::uint8_t>(use::free));
    assert(buffer.empty() && buffer.read_offset() == 0 && !buffer.lent());
    buffer.pool_use_ = static_cast<std::uint8_t>(how);
    reclaim(buffer.memory());
    if (how == use::leased) ++leases_;
    ++(index < slab_slots() ? stats_.buffers_in_use : stats_.fallbacks_in_use);
    stats_.buffers_in_use_peak =
        std::max(stats_.buffers_in_use_peak, stats_.buffers_in_use + stats_.fallbacks_in_use);
    return &buffer;
}

ring_buffer* pool_state::acquire(use how, std::error_code* error) noexcept {
    if (ring_buffer* const buffer = try_acquire(how); buffer != nullptr) [[likely]]
        return buffer;
    std::error_code refusal = add_slab(nullptr);
    ring_buffer* const buffer =
        refusal ? acquire_fallback(how, refusal) : hand_out(free_.pop(), how);
    if (buffer == nullptr && error != nullptr) *error = refusal;
    return buffer;
}

// `error` is the reason why there is no slab, and becomes the one why there is no fallback either.
ring_buffer* pool_state::acquire_fallback(use how, std::error_code& error) noexcept {
    if (!options_.fallback) return nullptr;
    if (free_fallbacks_.empty()) {
        error = add_fallback(nullptr);
        if (error) return nullptr;
    }
    ++stats_.fallbacks_total;
    return hand_out(free_fallbacks_.pop(), how);
}

// Whether `buffer`, which may point anywhere, is one of ours.
bool pool_state::find(const ring_buffer* buffer, std::uint32_t& index) const noexcept {
    // Numbers, because pointers into different arrays must not be compared or subtracted.
    const std::uintptr_t distance =
        reinterpret_cast<std::uintptr_t>(buffer) - reinterpret_cast<std::uintptr_t>(buffers_);
    if (distance % sizeof(ring_buffer) != 0) return false;
    const std::uintptr_t position = distance / sizeof(ring_buffer);
    if (position >= slots()) return false;
    index = static_cast<std::uint32_t>(position);
    return index < slab_slots() ? index < stats_.buffers
                                : index - slab_slots() < stats_.fallbacks_mapped;
}

std::error_code pool_state::give_back(ring_buffer* buffer, use how) noexcept {
    std::uint32_t index = 0;
    if (!find(buffer, index)) return error_code_of(std::errc::invalid_argument);
    if (buffer->pool_use_ != static_cast<std::uint8_t>(how)) {
        return error_code_of(std::errc::operation_not_permitted);
    }
    if (buffer->lent()) return error_code_of(std::errc::device_or_resource_busy);
    put_back(index);
    return {};
}

void pool_state::put_back(std::uint32_t index) noexcept {
    ring_buffer& buffer = buffers_[index];
    const bool slab = index < slab_slots();
    --(slab ? stats_.buffers_in_use : stats_.fallbacks_in_use);
    lend(buffer.memory());
    if (buffer.lent()) [[unlikely]] {
        // The kernel may still write into it: nobody else may have it.
        buffer.pool_use_ = static_cast<std::uint8_t>(use::abandoned);
        ++stats_.abandoned;
        return;
    }
    buffer.pool_use_ = static_cast<std::uint8_t>(use::free);
    buffer.head_ = buffer.tail_;
    buffer.read_offset_ = 0;
    (slab ? free_ : free_fallbacks_).push(index);
}

void pool_state::end_lease(ring_buffer* buffer) noexcept {
    assert(buffer->pool_use_ == static_cast<std::uint8_t>(use::leased));
    put_back(static_cast<std::uint32_t>(buffer - buffers_));
    if (--leases_ == 0 && closed_) [[unlikely]]
        retire_all();
}

std::error_code pool_state::reserve(std::uint32_t count, std::string* why) noexcept {
    if (count <= free_.size()) return {};
    const std::uint32_t missing = count - free_.size();
    const std::uint32_t slabs = (missing - 1) / options_.slab_buffers + 1;
    if (slabs > options_.slabs_max - stats_.slabs) {
        explain(why, "cannot reserve ", count, " buffers: ", free_.size(), " are free and ",
                options_.slabs_max - stats_.slabs, " slabs of ", options_.slab_buffers,
                " can be made; raise pool_options::slabs_max");
        return error_code_of(std::errc::no_buffer_space);
    }
    for (std::uint32_t made = 0; made < slabs; ++made) {
        if (const std::error_code error = add_slab(why)) return error;
    }
    return {};
}

pool_stats pool_state::stats() const noexcept { return stats_; }

void pool_state::close() noexcept {
    closed_ = true;
    if (leases_ == 0) retire_all();
}

void pool_state::retire_all() noexcept {
    for (std::uint32_t index = 0; index < stats_.buffers; ++index) {
        ring_->unregister_buffer(buffers_[index].id_);
    }
    for (std::uint32_t index = 0; index < stats_.fallbacks_mapped; ++index) {
        ring_->unregister_buffer(buffers_[slab_slots() + index].id_);
    }
    // The ring must not be held by what it may hold for ever itself.
    const std::shared_ptr<ring_state> ring = std::move(ring_);
    ring->retire(*this);
}

void pool_state::release_all(retired_memory* self) noexcept {
    delete static_cast<pool_state*>(self);
}

}  // namespace ioring::detail
