// SPDX-License-Identifier: MIT
// mirror_map_linux.cpp - memory objects by memfd_create(), with huge pages where there are any.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>

#include "platform/descriptor_guard.hpp"
#include "platform/mirror_map_os.hpp"
#include "platform/mirror_views_posix.hpp"
#include "platform/text.hpp"

namespace ioring::platform {
namespace {

// Own constant: headers of distributions are older than the kernel (6.3).
constexpr unsigned memfd_noexec_seal = 0x0008U;

int open_object(bool huge) {
    const unsigned flags = MFD_CLOEXEC | (huge ? MFD_HUGETLB : 0U);
    // Never executable: a system may insist on that being said, an older one does not know the
    // word.
    const int object = ::memfd_create("ioring-mirror", flags | memfd_noexec_seal);
    if (object >= 0 || errno != EINVAL) return object;
    return ::memfd_create("ioring-mirror", flags);
}

// Maps the object whose descriptor is `object` in pages of its kind.
std::error_code map_object(int object, const mirror_request& request, mirror_memory& out,
                           std::string* why) {
    if (::ftruncate(object, static_cast<off_t>(request.object_bytes())) != 0) {
        return mirror_error(errno, "get the memory for", request, why);
    }
    // The range is reserved by the object itself, not by anonymous memory: that could merge with a
    // neighbour, and giving it back would then split a mapping, which fails when there are too many
    // of them already. It also has huge pages' alignment. Nothing of it is ever touched.
    void* const range =
        ::mmap(nullptr, request.mapped_bytes(), PROT_NONE, MAP_SHARED | MAP_NORESERVE, object, 0);
    if (range == MAP_FAILED) return mirror_error(errno, "reserve addresses for", request, why);
    auto* const data = static_cast<std::byte*>(range);
    if (const int error = map_views(object, request, data)) {
        unmap_mirrors(request, data);
        return mirror_error(error, "map", request, why);
    }
    out = {data, request.huge_pages};
    return {};
}

}  // namespace

std::error_code map_mirrors(const mirror_request& request, mirror_memory& out,
                            std::string* why) noexcept {
    if (request.huge_pages) {
        const descriptor_guard object{open_object(/*huge=*/true)};
        // No huge pages, or not enough of them left: normal ones do as well.
        if (object.get() >= 0 && !map_object(object.get(), request, out, nullptr)) return {};
    }
    mirror_request normal = request;
    normal.huge_pages = false;
    const descriptor_guard object{open_object(/*huge=*/false)};
    if (object.get() < 0) return mirror_error(errno, "make the memory object of", normal, why);
    return map_object(object.get(), normal, out, why);
}

std::size_t huge_page_bytes() noexcept {
    const descriptor_guard file{::open("/proc/meminfo", O_RDONLY | O_CLOEXEC)};
    std::array<char, 8192> bytes{};
    const ssize_t got = file.get() < 0 ? -1 : ::read(file.get(), bytes.data(), bytes.size());
    if (got <= 0) return page_bytes();
    const std::string_view text{bytes.data(), static_cast<std::size_t>(got)};
    constexpr std::string_view key = "Hugepagesize:";
    const std::size_t line = text.find(key);
    if (line == text.npos) return page_bytes();
    const std::size_t digits = text.find_first_not_of(' ', line + key.size());
    std::size_t kib = 0;
    if (digits != text.npos) std::from_chars(text.data() + digits, text.data() + got, kib);
    return kib > 0 ? kib * 1024 : page_bytes();
}

}  // namespace ioring::platform
