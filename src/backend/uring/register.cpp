// SPDX-License-Identifier: MIT
// register.cpp - what the owner asks of the ring beside entering it.
#include <sys/uio.h>

#include <cassert>
#include <cerrno>

#include "backend/uring/uring_backend.hpp"
#include "ioring/prep.hpp"
#include "platform/socket.hpp"

namespace ioring::backends::uring {

int uring_backend::register_owned(register_op operation, void* argument,
                                  std::uint32_t count) noexcept {
    switch (operation) {
        case register_op::wake_descriptor: return wake_.native();
        case register_op::shutdown_now: {
            const auto& asked = *static_cast<const socket_shutdown*>(argument);
            return platform::shutdown_socket(asked.fd, static_cast<int>(asked.how));
        }
        case register_op::close_now:
            return platform::close_socket(*static_cast<const std::int32_t*>(argument));
        case register_op::pin_buffer:
            return pin_buffer(*static_cast<const kernel_buffer*>(argument), count);
        case register_op::unpin_buffer:
            return buffers_registered_ ? update_slot({nullptr, 0}, count) : -EINVAL;
        case register_op::add_buffer_ring:
            return add_buffer_ring(*static_cast<const buffer_ring*>(argument));
        case register_op::remove_buffer_ring:
            return remove_buffer_ring(static_cast<std::uint16_t>(count));
        case register_op::attach_socket:
        case register_op::attach_buffer:
        case register_op::detach_buffer:
        case register_op::abort_attached: return -EOPNOTSUPP;
        case register_op::wake:
        case register_op::message_descriptor:
        case register_op::abandon_after_fork:
            break;  // Not for the owner alone: register_() answers them.
    }
    return -EINVAL;
}

int uring_backend::pin_buffer(const kernel_buffer& buffer, std::uint32_t slot) noexcept {
    if (!buffers_registered_) {
        // Once and for all slots: the kernel cannot make a table larger.
        resource_registration table{};
        table.count = buffer_slots;
        table.flags = sparse_resources;
        if (const int error =
                kernel_.register_(ring_.get(), register_code::buffers2, &table, sizeof table);
            error != 0) {
            return error;
        }
        buffers_registered_ = true;
    }
    return update_slot(buffer, slot);
}

int uring_backend::update_slot(const kernel_buffer& buffer, std::uint32_t slot) noexcept {
    const iovec range{buffer.data, buffer.bytes};
    resource_update update{};
    update.offset = slot;
    update.data = ioring::detail::address_of(&range);
    update.count = 1;
    const int updated =
        kernel_.register_(ring_.get(), register_code::buffers_update, &update, sizeof update);
    return updated < 0 ? updated : 0;
}

int uring_backend::add_buffer_ring(const buffer_ring& ring) noexcept {
    if (ring.incremental && !probe_.has(feature::incremental_buffers)) return -EOPNOTSUPP;
    buffer_ring_registration registration{};
    registration.records = ioring::detail::address_of(ring.records);
    registration.entries = ring.entries;
    registration.group = ring.group;
    registration.flags = ring.incremental ? buffer_ring_incremental : std::uint16_t{0};
    return kernel_.register_(ring_.get(), register_code::buffer_ring, &registration, 1);
}

int uring_backend::remove_buffer_ring(std::uint16_t group) noexcept {
    buffer_ring_registration registration{};
    registration.group = group;
    return kernel_.register_(ring_.get(), register_code::unregister_buffer_ring, &registration, 1);
}

}  // namespace ioring::backends::uring
