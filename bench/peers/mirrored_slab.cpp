// SPDX-License-Identifier: MIT
// mirrored_slab.cpp - reserves twice the size, then maps the memory object's parts over it.
#include "mirrored_slab.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "peer.hpp"

namespace peer {
namespace {

constexpr std::size_t rings_per_slab = 256;

void map_at(std::byte* where, std::size_t bytes, int fd, std::size_t offset) {
    void* const at = ::mmap(where, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
                            static_cast<off_t>(offset));
    if (at == MAP_FAILED) fail("cannot map a ring buffer", errno);
}

std::byte* new_slab() {
    constexpr std::size_t object_bytes = rings_per_slab * ring_bytes;
    const int fd = ::memfd_create("peer-rings", MFD_CLOEXEC);
    if (fd < 0 || ::ftruncate(fd, static_cast<off_t>(object_bytes)) != 0)
        fail("cannot make memory for ring buffers", errno);
    void* const reserved = ::mmap(nullptr, 2 * object_bytes, PROT_NONE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED) fail("cannot reserve addresses for ring buffers", errno);
    auto* const base = static_cast<std::byte*>(reserved);
    // The second view of a ring and the first view of the next are neighbours in the object too, so
    // one mapping serves both: n + 1 mappings for n rings.
    map_at(base, ring_bytes, fd, 0);
    for (std::size_t i = 0; i + 1 < rings_per_slab; ++i)
        map_at(base + (2 * i + 1) * ring_bytes, 2UL * ring_bytes, fd, i * ring_bytes);
    map_at(base + (2 * rings_per_slab - 1) * ring_bytes, ring_bytes, fd, object_bytes - ring_bytes);
    ::close(fd);
    return base;
}

}  // namespace

std::byte* mirrored_slabs::ring(std::size_t index) {
    while (slabs_.size() <= index / rings_per_slab) slabs_.push_back(new_slab());
    return slabs_[index / rings_per_slab] + (index % rings_per_slab) * 2 * ring_bytes;
}

}  // namespace peer
