// SPDX-License-Identifier: MIT
// ring_tables.cpp - the sockets and buffers that a ring knows by id.
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <limits>

#include "base/error_words.hpp"
#include "ioring/error.hpp"

#include "ring/ring_state.hpp"

namespace ioring::detail {
namespace {

std::error_code error(std::errc code) noexcept { return std::make_error_code(code); }

constexpr std::size_t kernel_slots_max = 16'384;  // io_uring's limit of pinned ranges.

}  // namespace

std::error_code ring_state::register_socket(fd socket, connection_id& out) noexcept {
    if (!socket.valid()) return error(std::errc::bad_file_descriptor);
    if (free_connections_.empty()) return error(std::errc::no_buffer_space);
    if (names_buffers) {
        const int result =
            register_with_backend(backends::register_op::attach_socket, &socket.value, 0);
        if (result < 0) return error_of(result);
    }
    const std::uint32_t slot = free_connections_.back();
    free_connections_.pop_back();
    connection_entry& entry = connection_table_[slot];
    entry.fd = socket.value;
    if (++entry.generation == 0) entry.generation = 1;
    out = {.slot = slot, .generation = entry.generation};
    return {};
}

std::error_code ring_state::unregister_socket(connection_id connection) noexcept {
    if (!find_socket(connection).valid()) return error(std::errc::invalid_argument);
    connection_table_[connection.slot].fd = -1;
    free_connections_.push_back(connection.slot);  // Never grows: it began full.
    return {};
}

std::error_code ring_state::register_buffers(std::span<std::byte> memory,
                                             std::span<buffer_id> out) {
    if (memory.empty() || out.empty() || memory.size() % out.size() != 0) {
        return error(std::errc::invalid_argument);
    }
    const std::size_t bytes = memory.size() / out.size();
    if (bytes > std::numeric_limits<std::uint32_t>::max()) {
        return error(std::errc::invalid_argument);
    }
    const std::size_t fresh = out.size() - std::min(out.size(), free_buffers_.size());
    if (fresh > registered_buffers_max - buffer_table_.size()) {
        return error(std::errc::no_buffer_space);
    }
    // All that can run out of memory comes before the first change that is seen.
    buffer_table_.reserve(buffer_table_.size() + fresh);
    buffer_regions_.reserve(buffer_table_.size() + fresh);
    const auto free_region = std::find_if(regions_.begin(), regions_.end(),
                                          [](const region& each) { return each.buffers == 0; });
    const auto region_index = static_cast<std::int32_t>(free_region - regions_.begin());
    if (free_region == regions_.end()) regions_.emplace_back();
    for (std::size_t added = 0; added < fresh; ++added) {
        free_buffers_.push_back(static_cast<std::uint32_t>(buffer_table_.size()));
        buffer_table_.emplace_back();
        buffer_regions_.push_back(-1);
    }
    buffers = buffer_table_.data();
    buffers_count = static_cast<std::uint32_t>(buffer_table_.size());

    regions_[static_cast<std::size_t>(region_index)] = {
        .data = memory.data(),
        .bytes = memory.size(),
        .buffers = static_cast<std::uint32_t>(out.size())};
    std::byte* data = memory.data();
    for (buffer_id& id : out) {
        const std::uint32_t slot = free_buffers_.front();
        free_buffers_.pop_front();
        buffer_entry& entry = buffer_table_[slot];
        entry.data = data;
        entry.bytes = static_cast<std::uint32_t>(bytes);
        buffer_regions_[slot] = region_index;
        id = static_cast<buffer_id>(slot | (std::uint32_t{entry.generation} << 24U));
        data += bytes;
    }
    return names_buffers ? attach_buffers(out) : std::error_code{};
}

// Tells the backend of buffers that are in the tables; of all, or of none, and then they are gone.
std::error_code ring_state::attach_buffers(std::span<const buffer_id> added) noexcept {
    const auto slot_of = [](buffer_id id) {
        return static_cast<std::uint32_t>(id) & registered_buffers_max;
    };
    for (std::size_t count = 0; count < added.size(); ++count) {
        const buffer_entry& entry = buffer_table_[slot_of(added[count])];
        backends::kernel_buffer memory{.data = entry.data, .bytes = entry.bytes};
        const int result = register_with_backend(backends::register_op::attach_buffer, &memory,
                                                 slot_of(added[count]));
        if (result >= 0) continue;
        for (const buffer_id done : added.first(count)) {
            register_with_backend(backends::register_op::detach_buffer, nullptr, slot_of(done));
        }
        for (const buffer_id each : added) forget_buffer(slot_of(each));
        return error_of(result);
    }
    return {};
}

std::error_code ring_state::unregister_buffer(buffer_id buffer) noexcept {
    if (find_bytes(buffer, 0, 1) == nullptr) return error(std::errc::invalid_argument);
    const std::uint32_t slot = static_cast<std::uint32_t>(buffer) & registered_buffers_max;
    if (names_buffers) {
        register_with_backend(backends::register_op::detach_buffer, nullptr, slot);
    }
    forget_buffer(slot);
    return {};
}

void ring_state::forget_buffer(std::uint32_t slot) noexcept {
    buffer_entry& entry = buffer_table_[slot];
    entry.data = nullptr;
    entry.bytes = 0;
    ++entry.generation;
    region& home = regions_[static_cast<std::size_t>(buffer_regions_[slot])];
    if (--home.buffers == 0 && home.kernel_slot >= 0) {
        register_with_backend(backends::register_op::unpin_buffer, nullptr,
                              static_cast<std::uint32_t>(home.kernel_slot));
        home.kernel_slot = region::untried;
    }
    free_buffers_.push_back(slot);
}

int ring_state::pinned_slot(buffer_id buffer) noexcept {
    const std::uint32_t slot = static_cast<std::uint32_t>(buffer) & registered_buffers_max;
    const auto index = static_cast<std::size_t>(buffer_regions_[slot]);
    region& home = regions_[index];
    if (home.kernel_slot == region::untried) {
        backends::kernel_buffer range{.data = home.data, .bytes = home.bytes};
        const int error = index < kernel_slots_max
                              ? register_with_backend(backends::register_op::pin_buffer, &range,
                                                      static_cast<std::uint32_t>(index))
                              : -ENOBUFS;
        home.kernel_slot = error < 0 ? region::refused : static_cast<std::int32_t>(index);
        set_registration_text(error);
    }
    return home.kernel_slot;
}

void ring_state::set_registration_text(int error) noexcept {
    if (error >= 0) {
        registration_ = "buffers are pinned for send_zc";
    } else if (error == -ENOMEM) {
        registration_ =
            "not pinned: RLIMIT_MEMLOCK is too small (ulimit -l), plain sends are used instead";
    } else {
        registration_ =
            "not pinned: " + detail::error_words(-error) + ", plain sends are used instead";
    }
    info_.registration = registration_.c_str();
}

int ring_state::register_with_backend(backends::register_op operation, void* argument,
                                      std::uint32_t count) noexcept {
    if (forked_) return -EOWNERDEAD;
    if (backend_ == nullptr) return -EBADF;
    return backend_->register_(operation, argument, count);
}

}  // namespace ioring::detail
