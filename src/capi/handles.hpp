// SPDX-License-Identifier: MIT
// handles.hpp - what is behind the C interface's opaque handles, and how its errors are made.
#pragma once

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <system_error>

#include "ioring/buffer_group.hpp"
#include "ioring/buffer_pool.hpp"
#include "ioring/endpoint.hpp"
#include "ioring/ioring.h"
#include "ioring/ring.hpp"
#include "ioring/socket_manager.hpp"

struct ioring_ring {
    ioring::ring ring;
};
struct ioring_listener {
    ioring::listener listener;
};
struct ioring_pool {
    ioring::buffer_pool pool;
};
struct ioring_group {
    ioring::buffer_group group;
};
struct ioring_manager {
    ioring::socket_manager sockets;
};

namespace ioring::capi {

// 0 or a negative errno. Every category of the library compares with std::errc.
[[nodiscard]] int result_of(const std::error_code& error) noexcept;

// `text` into `out`, cut, with its zero.
void copy_text(std::string_view text, char* out, std::size_t bytes) noexcept;

// A ring_buffer is its own handle: a pool gives out pointers to its own.
[[nodiscard]] inline ring_buffer* buffer_of(ioring_buffer* handle) noexcept {
    return reinterpret_cast<ring_buffer*>(handle);
}
[[nodiscard]] inline const ring_buffer* buffer_of(const ioring_buffer* handle) noexcept {
    return reinterpret_cast<const ring_buffer*>(handle);
}
[[nodiscard]] inline ioring_buffer* handle_of(ring_buffer* buffer) noexcept {
    return reinterpret_cast<ioring_buffer*>(buffer);
}

[[nodiscard]] inline ioring_sqe* entry_of(sqe* entry) noexcept {
    return reinterpret_cast<ioring_sqe*>(entry);
}

// An id of slot and generation as one number. A generation is never 0, and so is no number of one.
template <class Id>
[[nodiscard]] std::uint64_t number_of(Id id) noexcept {
    return std::uint64_t{id.generation} << 32U | id.slot;
}
template <class Id>
[[nodiscard]] Id id_of(std::uint64_t number) noexcept {
    return {.slot = static_cast<std::uint32_t>(number),
            .generation = static_cast<std::uint32_t>(number >> 32U)};
}

// A field that is not set has its default.
inline void set(std::uint32_t value, std::uint32_t& field) noexcept {
    if (value != 0) field = value;
}

// The caller's options, of which those of an older header are shorter. False: `size` is not set.
template <class Struct>
[[nodiscard]] bool copy_options(const Struct& given, Struct& whole) noexcept {
    if (given.size < sizeof given.size) return false;
    std::memcpy(&whole, &given, given.size < sizeof whole ? given.size : sizeof whole);
    return true;
}

// The same, by what the library wants; NULL leaves `out` as it is.
[[nodiscard]] bool read_options(const ioring_listen_options* given, listen_options& out) noexcept;

// Below 0: without a bound.
[[nodiscard]] inline std::chrono::nanoseconds time_of(std::int64_t timeout_ns) noexcept {
    return timeout_ns < 0 ? ring::forever : std::chrono::nanoseconds{timeout_ns};
}

[[nodiscard]] inline endpoint endpoint_of(const ioring_endpoint& address) noexcept {
    endpoint made;
    const std::size_t bytes =
        address.bytes < endpoint::capacity ? address.bytes : endpoint::capacity;
    std::memcpy(made.data(), address.storage, bytes);
    made.resize(bytes);
    return made;
}
inline void fill_endpoint(const endpoint& from, ioring_endpoint& out) noexcept {
    static_assert(sizeof out.storage == endpoint::capacity);
    out = {};
    out.bytes = static_cast<std::uint32_t>(from.size());
    std::memcpy(out.storage, from.data(), from.size());
}

}  // namespace ioring::capi
