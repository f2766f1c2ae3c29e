// SPDX-License-Identifier: MIT
// handles.hpp - what is behind the C interface's opaque handles, and how its errors are made.
#pragma once

#include <cerrno>
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

namespace ioring::capi {

// 0 or a negative errno. Every category of the library compares with std::errc.
[[nodiscard]] int result_of(const std::error_code& error) noexcept;

// `text` into `out`, cut, with its zero.
void copy_text(std::string_view text, char* out, std::size_t bytes) noexcept;

// Whether a size-tagged struct of the caller's has the field that ends at `end`: one compiled with
// an older header may lack it.
[[nodiscard]] constexpr bool has_field(std::uint32_t size, std::size_t end) noexcept {
    return size >= end;
}

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
