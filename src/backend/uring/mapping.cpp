// SPDX-License-Identifier: MIT
// mapping.cpp - mappings that a forked child does not get.
#include "backend/uring/mapping.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "platform/process.hpp"

namespace ioring::backends::uring {

int mapping::of_ring(int ring, std::uint64_t offset, std::size_t bytes, mapping& out) noexcept {
    return map(MAP_SHARED | MAP_POPULATE, ring, offset, bytes, out);
}

int mapping::of_zeroes(std::size_t bytes, mapping& out) noexcept {
    return map(MAP_PRIVATE | MAP_ANONYMOUS, /*file=*/-1, /*offset=*/0, bytes, out);
}

int mapping::map(int flags, int file, std::uint64_t offset, std::size_t bytes,
                 mapping& out) noexcept {
    void* const data =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, file, static_cast<off_t>(offset));
    if (data == MAP_FAILED) return -errno;
    mapping made;
    made.data_ = static_cast<std::byte*>(data);
    made.bytes_ = bytes;
    made.generation_ = platform::fork_generation();
    if (::madvise(data, bytes, MADV_DONTFORK) != 0) return -errno;
    out = std::move(made);
    return 0;
}

mapping& mapping::operator=(mapping&& other) noexcept {
    if (this != &other) {
        unmap();
        data_ = std::exchange(other.data_, nullptr);
        bytes_ = other.bytes_;
        generation_ = other.generation_;
    }
    return *this;
}

void mapping::unmap() noexcept {
    // In a child the range is not ours: something else may have been mapped there since.
    if (data_ != nullptr && generation_ == platform::fork_generation()) ::munmap(data_, bytes_);
    data_ = nullptr;
}

descriptor& descriptor::operator=(descriptor&& other) noexcept {
    if (this != &other) {
        close();
        value_ = std::exchange(other.value_, -1);
    }
    return *this;
}

void descriptor::close() noexcept {
    if (value_ >= 0) ::close(std::exchange(value_, -1));
}

}  // namespace ioring::backends::uring
