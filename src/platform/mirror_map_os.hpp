// SPDX-License-Identifier: MIT
// mirror_map_os.hpp - what a system provides so that memory can be mapped twice.
//
// mirror_map.cpp checks the sizes; a function here only maps. Which one mirror_map::create() uses
// is decided by the system's file; the others are there for systems that have nothing better, and
// for tests, which run one suite over all that a system has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>

#include "platform/mirror_map.hpp"

namespace ioring::platform {

// Sizes are checked: buffer_bytes is a multiple of the granularity, 2 * buffer_bytes * count fits.
struct mirror_request {
    std::size_t buffer_bytes = 0;
    std::size_t count = 0;
    bool huge_pages = false;

    [[nodiscard]] std::size_t object_bytes() const noexcept { return buffer_bytes * count; }
    [[nodiscard]] std::size_t mapped_bytes() const noexcept { return 2 * buffer_bytes * count; }
};

struct mirror_memory {
    std::byte* data = nullptr;
    bool huge_pages = false;
};

// Makes `out` the mapping of `request`. On an error nothing stays mapped or open.
using mirror_function = std::error_code (*)(const mirror_request& request, mirror_memory& out,
                                            std::string* why) noexcept;

// The best way of this system.
std::error_code map_mirrors(const mirror_request& request, mirror_memory& out,
                            std::string* why) noexcept;
#if defined(_WIN32)
// By reserving, giving back and mapping there at once, again when another thread was faster: on
// every Windows.
std::error_code map_mirrors_by_retry(const mirror_request& request, mirror_memory& out,
                                     std::string* why) noexcept;
#else
// By shm_open(), on every POSIX system; normal pages only. Linux: limited by the size of /dev/shm,
// beyond which a touch raises SIGBUS.
std::error_code map_mirrors_shm(const mirror_request& request, mirror_memory& out,
                                std::string* why) noexcept;
#endif

// Gives back what is mapped for `request` from `data` on.
void unmap_mirrors(const mirror_request& request, std::byte* data) noexcept;

[[nodiscard]] std::size_t page_bytes() noexcept;
// The system's default huge page, or page_bytes() where it has none.
[[nodiscard]] std::size_t huge_page_bytes() noexcept;

// Makes maps by a function of choice.
class mirror_map_factory {
public:
    [[nodiscard]] static std::error_code create(mirror_function map, std::size_t buffer_bytes,
                                                std::size_t count, const mirror_options& options,
                                                mirror_map& out, std::string* why) noexcept;
};

}  // namespace ioring::platform
