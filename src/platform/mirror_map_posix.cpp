// SPDX-License-Identifier: MIT
// mirror_map_posix.cpp - mapping views of a descriptor, and memory objects by shm_open().
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#if defined(__APPLE__)
#include <mach/vm_inherit.h>
#endif

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>

#include "platform/clock.hpp"
#include "platform/descriptor_guard.hpp"
#include "platform/limits.hpp"
#include "platform/mirror_map_os.hpp"
#include "platform/mirror_views_posix.hpp"
#include "platform/text.hpp"

namespace ioring::platform {
namespace {

std::string advice(int error, const mirror_request& request) {
    const std::uint64_t mappings = mapping_limit();
    if (error != ENOMEM || mappings == unlimited) return advice_on(error);
    return "; they need " + std::to_string(request.count + 1) +
           " mappings, of which a process may have vm.max_map_count = " + std::to_string(mappings) +
           ": raise it with sysctl, use fewer buffers, or free memory";
}

// Keeps the memory out of forked children.
int keep_from_children(std::byte* data, std::size_t bytes) {
#if defined(MADV_DONTFORK)
    return ::madvise(data, bytes, MADV_DONTFORK) == 0 ? 0 : errno;
#elif defined(INHERIT_NONE)
    return ::minherit(data, bytes, INHERIT_NONE) == 0 ? 0 : errno;
#elif defined(VM_INHERIT_NONE)
    return ::minherit(data, bytes, VM_INHERIT_NONE) == 0 ? 0 : errno;
#else
#error "this system has no known way to keep memory out of a forked child"
#endif
}

// A name that nobody has, for the moment until it is unlinked: at most 31 bytes, Darwin's limit.
int open_unnamed_object() {
    static std::atomic<unsigned> counter{0};
    constexpr int attempts_max = 16;
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        std::array<char, 32> name{};
        const auto salt = static_cast<unsigned>(monotonic_ns() & 0xffffffU);
        std::snprintf(name.data(), name.size(), "/ioring-%x-%x-%x",
                      static_cast<unsigned>(::getpid()), counter.fetch_add(1) & 0xffffU, salt);
        const int object = ::shm_open(name.data(), O_RDWR | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
        if (object >= 0) {
            ::shm_unlink(name.data());
            return object;  // shm_open() makes it close-on-exec.
        }
        if (errno != EEXIST && errno != EINTR) return -1;
    }
    return -1;
}

}  // namespace

std::size_t page_bytes() noexcept { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

void unmap_mirrors(const mirror_request& request, std::byte* data) noexcept {
    ::munmap(data, request.mapped_bytes());
}

int map_views(int descriptor, const mirror_request& request, std::byte* data) noexcept {
    const std::size_t bytes = request.buffer_bytes;
    const auto map = [&](std::size_t at, std::size_t length, std::size_t offset) {
        void* const mapped = ::mmap(data + at, length, PROT_READ | PROT_WRITE,
                                    MAP_SHARED | MAP_FIXED, descriptor, static_cast<off_t>(offset));
        return mapped != MAP_FAILED;
    };
    if (!map(0, bytes, 0)) return errno;
    // The second view of a buffer and the first of the next follow each other in the object, too.
    for (std::size_t next = 1; next < request.count; ++next) {
        if (!map((2 * next - 1) * bytes, 2 * bytes, (next - 1) * bytes)) return errno;
    }
    if (!map((2 * request.count - 1) * bytes, bytes, (request.count - 1) * bytes)) return errno;
    return keep_from_children(data, request.mapped_bytes());
}

std::error_code mirror_error(int error, const char* step, const mirror_request& request,
                             std::string* why) noexcept {
    explain(
        why, "cannot ", step, " ", request.count, " mirrored buffers of ", request.buffer_bytes,
        " bytes: ", [&] { return error_name(error); }, [&] { return advice(error, request); });
    return errno_code(error);
}

std::error_code map_mirrors_shm(const mirror_request& request, mirror_memory& out,
                                std::string* why) noexcept {
    const descriptor_guard object{open_unnamed_object()};
    if (object.get() < 0) return mirror_error(errno, "make the memory object of", request, why);
    // Once: Darwin allows no second time.
    if (::ftruncate(object.get(), static_cast<off_t>(request.object_bytes())) != 0) {
        return mirror_error(errno, "get the memory for", request, why);
    }
    void* const range = ::mmap(nullptr, request.mapped_bytes(), PROT_NONE,
                               MAP_PRIVATE | MAP_ANON | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED) return mirror_error(errno, "reserve addresses for", request, why);
    auto* const data = static_cast<std::byte*>(range);
    if (const int error = map_views(object.get(), request, data)) {
        unmap_mirrors(request, data);
        return mirror_error(error, "map", request, why);
    }
    out = {data, /*huge_pages=*/false};
    return {};
}

}  // namespace ioring::platform
