// SPDX-License-Identifier: MIT
// mirror_map.cpp - the checks and the life of mirrored memory. The mapping is the system's.
#include "platform/mirror_map.hpp"

#include <limits>

#include "platform/mirror_map_os.hpp"
#include "platform/process.hpp"
#include "platform/text.hpp"

namespace ioring::platform {
namespace {

std::error_code check(std::size_t buffer_bytes, std::size_t count, bool huge, std::string* why) {
    const std::error_code invalid = std::make_error_code(std::errc::invalid_argument);
    const std::size_t granularity = mirror_map::granularity(huge);
    if (buffer_bytes == 0 || buffer_bytes % granularity != 0) {
        explain(why, "a mirrored buffer cannot have ", buffer_bytes,
                " bytes: its size must be a multiple of ", granularity, " bytes, this system's ",
                huge ? "huge page" : "page", ", and not 0");
        return invalid;
    }
    if (count == 0) {
        explain(why, "there must be at least one mirrored buffer, not 0");
        return invalid;
    }
    // Offsets into the range are computed as ptrdiff_t, too.
    constexpr auto most = static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max());
    if (count > most / 2 / buffer_bytes) {
        explain(why, count, " mirrored buffers of ", buffer_bytes,
                " bytes exceed the address space");
        return invalid;
    }
    return {};
}

}  // namespace

std::size_t mirror_map::granularity(bool huge) noexcept {
    return huge ? huge_page_bytes() : page_bytes();
}

std::error_code mirror_map::create(std::size_t buffer_bytes, std::size_t count,
                                   const mirror_options& options, mirror_map& out,
                                   std::string* why) noexcept {
    return mirror_map_factory::create(map_mirrors, buffer_bytes, count, options, out, why);
}

mirror_map& mirror_map::operator=(mirror_map&& other) noexcept {
    if (this != &other) {
        unmap();
        fields_ = std::exchange(other.fields_, {});
    }
    return *this;
}

mirror_map::~mirror_map() { unmap(); }

void mirror_map::unmap() noexcept {
    if (fields_.data == nullptr) return;
    // A forked child has none of it, and may have something else at these addresses by now.
    if (fields_.fork_generation != fork_generation()) return;
    unmap_mirrors({fields_.buffer_bytes, fields_.count, fields_.huge_pages}, fields_.data);
}

std::error_code mirror_map_factory::create(mirror_function map, std::size_t buffer_bytes,
                                           std::size_t count, const mirror_options& options,
                                           mirror_map& out, std::string* why) noexcept {
    const bool huge = options.huge_pages;
    if (const auto error = check(buffer_bytes, count, huge, why)) return error;
    const mirror_request request{buffer_bytes, count, huge};
    mirror_memory memory;
    if (const auto error = map(request, memory, why)) return error;
    mirror_map made;
    made.fields_ = {memory.data, buffer_bytes, count, fork_generation(), memory.huge_pages};
    out = std::move(made);
    return {};
}

}  // namespace ioring::platform
