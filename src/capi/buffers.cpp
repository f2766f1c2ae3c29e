// SPDX-License-Identifier: MIT
// buffers.cpp - registered memory, mirrored buffers, pools and buffer groups for C.
#include <algorithm>
#include <utility>

#include "capi/handles.hpp"
#include "ioring/received_message.hpp"

namespace {

using ioring::capi::buffer_of;
using ioring::capi::copy_options;
using ioring::capi::entry_of;
using ioring::capi::handle_of;
using ioring::capi::number_of;
using ioring::capi::result_of;
using ioring::capi::set;

ioring::connection_id connection_of(std::uint64_t number) noexcept {
    return ioring::capi::id_of<ioring::connection_id>(number);
}

}  // namespace

extern "C" {

int ioring_register_socket(ioring_t* ring, std::int32_t fd, ioring_connection_id* out) {
    if (ring == nullptr || out == nullptr) return -EINVAL;
    ioring::connection_id made;
    const std::error_code error = ring->ring.register_socket(ioring::fd{fd}, made);
    if (!error) *out = number_of(made);
    return result_of(error);
}
int ioring_unregister_socket(ioring_t* ring, ioring_connection_id connection) {
    if (ring == nullptr) return -EINVAL;
    return result_of(ring->ring.unregister_socket(connection_of(connection)));
}

int ioring_register_buffer(ioring_t* ring, void* memory, std::size_t bytes, ioring_buffer_id* out) {
    if (ring == nullptr || out == nullptr) return -EINVAL;
    ioring::buffer_id made{};
    const std::error_code error =
        ring->ring.register_buffer({static_cast<std::byte*>(memory), bytes}, made);
    if (!error) *out = static_cast<ioring_buffer_id>(made);
    return result_of(error);
}
int ioring_unregister_buffer(ioring_t* ring, ioring_buffer_id buffer) {
    if (ring == nullptr) return -EINVAL;
    return result_of(ring->ring.unregister_buffer(static_cast<ioring::buffer_id>(buffer)));
}

ioring_sqe* ioring_prepare_recv_buffer(ioring_t* ring, ioring_connection_id connection,
                                       ioring_buffer_id buffer, std::uint64_t offset,
                                       std::uint32_t bytes, std::uint64_t user_data) {
    if (ring == nullptr) return nullptr;
    return entry_of(ring->ring.prepare_recv_buffer(connection_of(connection),
                                                   static_cast<ioring::buffer_id>(buffer), offset,
                                                   bytes, user_data));
}
ioring_sqe* ioring_prepare_send_buffer(ioring_t* ring, ioring_connection_id connection,
                                       ioring_buffer_id buffer, std::uint64_t offset,
                                       std::uint32_t bytes, std::uint64_t user_data) {
    if (ring == nullptr) return nullptr;
    return entry_of(ring->ring.prepare_send_buffer(connection_of(connection),
                                                   static_cast<ioring::buffer_id>(buffer), offset,
                                                   bytes, user_data));
}

std::size_t ioring_buffer_granularity() { return ioring::ring_buffer::granularity(); }

int ioring_buffer_create(std::size_t bytes, ioring_buffer_t** out) {
    if (out == nullptr) return -EINVAL;
    auto* const made = new (std::nothrow) ioring::ring_buffer;
    if (made == nullptr) return -ENOMEM;
    if (const std::error_code error = ioring::ring_buffer::create(bytes, {}, *made); error) {
        delete made;
        return result_of(error);
    }
    *out = handle_of(made);
    return 0;
}
int ioring_buffer_destroy(ioring_buffer_t* buffer) {
    ioring::ring_buffer* const destroyed = buffer_of(buffer);
    if (destroyed == nullptr) return 0;
    if (destroyed->lent()) return -EBUSY;
    // One of a pool does not let itself be moved from.
    const ioring::ring_buffer memory{std::move(*destroyed)};
    if (memory.capacity() == 0) return -EBUSY;
    delete destroyed;
    return 0;
}

std::uint32_t ioring_buffer_capacity(const ioring_buffer_t* buffer) {
    return buffer == nullptr ? 0 : buffer_of(buffer)->capacity();
}
const void* ioring_buffer_readable(const ioring_buffer_t* buffer, std::uint32_t* bytes) {
    if (bytes != nullptr) *bytes = buffer == nullptr ? 0 : buffer_of(buffer)->readable_bytes();
    return buffer == nullptr ? nullptr : buffer_of(buffer)->readable().data();
}
void* ioring_buffer_writable(ioring_buffer_t* buffer, std::uint32_t* bytes) {
    if (bytes != nullptr) *bytes = buffer == nullptr ? 0 : buffer_of(buffer)->writable_bytes();
    return buffer == nullptr ? nullptr : buffer_of(buffer)->writable().data();
}
int ioring_buffer_commit_read(ioring_buffer_t* buffer, std::uint64_t bytes) {
    return buffer != nullptr && buffer_of(buffer)->commit_read(bytes) ? 0 : -EINVAL;
}
int ioring_buffer_commit_write(ioring_buffer_t* buffer, std::uint64_t bytes) {
    return buffer != nullptr && buffer_of(buffer)->commit_write(bytes) ? 0 : -EINVAL;
}
ioring_buffer_id ioring_buffer_registered_id(const ioring_buffer_t* buffer) {
    const auto id = buffer == nullptr ? ioring::buffer_id::invalid : buffer_of(buffer)->id();
    return static_cast<ioring_buffer_id>(id);
}
std::uint32_t ioring_buffer_read_offset(const ioring_buffer_t* buffer) {
    return buffer == nullptr ? 0 : buffer_of(buffer)->read_offset();
}
std::uint32_t ioring_buffer_write_offset(const ioring_buffer_t* buffer) {
    return buffer == nullptr ? 0 : buffer_of(buffer)->write_offset();
}

int ioring_register_ring_buffer(ioring_t* ring, ioring_buffer_t* buffer, ioring_buffer_id* out) {
    if (ring == nullptr || buffer == nullptr || out == nullptr) return -EINVAL;
    ioring::ring_buffer& registered = *buffer_of(buffer);
    if (registered.id() != ioring::buffer_id::invalid) return -EINVAL;
    ioring::buffer_id made{};
    if (const auto error = ring->ring.register_buffer(registered.memory(), made); error) {
        return result_of(error);
    }
    registered.set_id(made);
    if (registered.id() != made) {  // A pool's does not let itself be told.
        (void)ring->ring.unregister_buffer(made);
        return -EINVAL;
    }
    *out = static_cast<ioring_buffer_id>(made);
    return 0;
}

int ioring_pool_create(ioring_t* ring, const ioring_pool_options* options, ioring_pool_t** out) {
    if (ring == nullptr || out == nullptr) return -EINVAL;
    ioring::pool_options wanted;
    if (options != nullptr) {
        ioring_pool_options whole{};
        if (!copy_options(*options, whole)) return -EINVAL;
        set(whole.buffer_bytes, wanted.buffer_bytes);
        set(whole.slab_buffers, wanted.slab_buffers);
        set(whole.slabs_max, wanted.slabs_max);
        wanted.slabs_initial = whole.slabs_initial;
        wanted.huge_pages = whole.huge_pages != 0;
        wanted.fallback = whole.no_fallback == 0;
    }
    auto* const made = new (std::nothrow) ioring_pool;
    if (made == nullptr) return -ENOMEM;
    if (const auto error = ioring::buffer_pool::create(ring->ring, wanted, made->pool); error) {
        delete made;
        return result_of(error);
    }
    *out = made;
    return 0;
}
void ioring_pool_destroy(ioring_pool_t* pool) { delete pool; }

int ioring_pool_acquire(ioring_pool_t* pool, ioring_buffer_t** out) {
    if (pool == nullptr || out == nullptr) return -EINVAL;
    std::error_code error;
    ioring::ring_buffer* const buffer = pool->pool.acquire_raw(&error);
    if (buffer == nullptr) return result_of(error);
    *out = handle_of(buffer);
    return 0;
}
int ioring_pool_release(ioring_pool_t* pool, ioring_buffer_t* buffer) {
    if (pool == nullptr) return -EINVAL;
    return result_of(pool->pool.release_raw(buffer_of(buffer)));
}

int ioring_group_create(ioring_t* ring, const ioring_group_options* options, ioring_group_t** out) {
    if (ring == nullptr || out == nullptr) return -EINVAL;
    ioring::group_options wanted;
    if (options != nullptr) {
        ioring_group_options whole{};
        if (!copy_options(*options, whole)) return -EINVAL;
        set(whole.buffers, wanted.buffers);
        set(whole.buffer_bytes, wanted.buffer_bytes);
        set(whole.plain_buffer_bytes, wanted.plain_buffer_bytes);
        wanted.incremental = whole.not_incremental == 0;
        wanted.posted_bytes_max = whole.posted_bytes_max;
    }
    auto* const made = new (std::nothrow) ioring_group;
    if (made == nullptr) return -ENOMEM;
    if (const auto error = ioring::buffer_group::create(ring->ring, wanted, made->group); error) {
        delete made;
        return result_of(error);
    }
    *out = made;
    return 0;
}
void ioring_group_destroy(ioring_group_t* group) { delete group; }

std::uint16_t ioring_group_id(const ioring_group_t* group) {
    return group == nullptr ? std::uint16_t{0} : group->group.id();
}
void* ioring_group_take(ioring_group_t* group, const ioring_cqe* done, std::uint32_t* bytes) {
    std::span<std::byte> chunk;
    if (group != nullptr && done != nullptr) {
        chunk = group->group.take({done->user_data, done->res, done->flags});
    }
    if (bytes != nullptr) *bytes = static_cast<std::uint32_t>(chunk.size());
    return chunk.empty() ? nullptr : chunk.data();
}
int ioring_group_recycle(ioring_group_t* group, const void* chunk) {
    if (group == nullptr || chunk == nullptr) return -EINVAL;
    return group->group.recycle({static_cast<const std::byte*>(chunk), 1}) ? 0 : -EINVAL;
}

int ioring_received_message_read(void* chunk, std::uint32_t bytes, std::uint32_t name_room,
                                 std::uint32_t control_room, ioring_received_message* out) {
    if (chunk == nullptr || out == nullptr) return -EINVAL;
    ioring::received_message from;
    const std::span buffer{static_cast<std::byte*>(chunk), bytes};
    if (!ioring::received_message::read(buffer, {name_room, control_room}, from)) return -EINVAL;
    *out = {.name = from.name.data(),
            .control = from.control.data(),
            .payload = from.payload.data(),
            .name_bytes = static_cast<std::uint32_t>(from.name.size()),
            .control_bytes = static_cast<std::uint32_t>(from.control.size()),
            .payload_bytes = static_cast<std::uint32_t>(from.payload.size()),
            .flags = from.flags,
            .whole_name_bytes = from.name_bytes,
            .whole_payload_bytes = from.payload_bytes,
            .is_cut = from.is_cut() ? 1U : 0U,
            .reserved = 0};
    return 0;
}

}  // extern "C"
