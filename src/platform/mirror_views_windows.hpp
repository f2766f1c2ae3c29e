// SPDX-License-Identifier: MIT
// mirror_views_windows.hpp - the calls by which Windows maps a memory object twice, as a table.
//
// VirtualAlloc2 and MapViewOfFile3 are there since Windows 10 1803; old import libraries lack them,
// so they are looked up. Tests give functions of their own.
#pragma once

#include "platform/mirror_map_os.hpp"

namespace ioring::platform {

// Results as those of the calls: nullptr or false with GetLastError().
struct view_functions {
    // Addresses without memory. `placeholder`: one, to be cut and replaced; else a plain
    // reservation.
    void* (*reserve)(std::size_t bytes, bool placeholder) noexcept = nullptr;
    // Cuts `bytes` off the beginning of a placeholder.
    bool (*split)(void* at, std::size_t bytes) noexcept = nullptr;
    // Maps `bytes` of `object` from `offset` on at `at`: in the place of the placeholder there, or
    // where nothing is.
    void* (*map_over)(void* object, std::size_t offset, void* at,
                      std::size_t bytes) noexcept = nullptr;
    void* (*map_at)(void* object, std::size_t offset, void* at,
                    std::size_t bytes) noexcept = nullptr;
    bool (*unmap)(void* at) noexcept = nullptr;
    bool (*release)(void* at) noexcept = nullptr;
};

// The system's. Without the newer calls `split` and `map_over` are nullptr.
[[nodiscard]] const view_functions& system_views() noexcept;

// Whether `by` has the newer calls and they work: Wine 8 has them and refuses.
[[nodiscard]] bool has_placeholders(const view_functions& by) noexcept;

// Maps all views of `request` from `object`. 0 or an errno value; nothing stays mapped on an error.
[[nodiscard]] int map_by_placeholders(const view_functions& by, void* object,
                                      const mirror_request& request, std::byte*& out) noexcept;
[[nodiscard]] int map_by_retry(const view_functions& by, void* object,
                               const mirror_request& request, std::byte*& out) noexcept;

}  // namespace ioring::platform
