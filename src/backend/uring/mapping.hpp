// SPDX-License-Identifier: MIT
// mapping.hpp - memory shared with the kernel, and the descriptor it comes from.
//
// Neither outlives a fork: the memory is not inherited (a child that touched it would write into
// its parent's queues), and the child's destructors therefore unmap nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace ioring::backends::uring {

class mapping {
public:
    // Maps `bytes` at `offset` of `ring`. Returns 0 or -errno; on an error `out` is unchanged.
    [[nodiscard]] static int of_ring(int ring, std::uint64_t offset, std::size_t bytes,
                                     mapping& out) noexcept;
    // Maps `bytes` of zeroed memory of this process alone.
    [[nodiscard]] static int of_zeroes(std::size_t bytes, mapping& out) noexcept;

    mapping() noexcept = default;
    mapping(mapping&& other) noexcept
        : data_{std::exchange(other.data_, nullptr)},
          bytes_{other.bytes_},
          generation_{other.generation_} {}
    mapping& operator=(mapping&& other) noexcept;
    ~mapping() { unmap(); }

    [[nodiscard]] std::byte* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

    // What lies at `offset`.
    template <class T>
    [[nodiscard]] T* at(std::size_t offset) const noexcept {
        return reinterpret_cast<T*>(data_ + offset);
    }

private:
    [[nodiscard]] static int map(int flags, int file, std::uint64_t offset, std::size_t bytes,
                                 mapping& out) noexcept;
    void unmap() noexcept;

    std::byte* data_ = nullptr;
    std::size_t bytes_ = 0;
    std::uint32_t generation_ = 0;  // platform::fork_generation() of the process that mapped it.
};

class descriptor {
public:
    descriptor() noexcept = default;
    explicit descriptor(int value) noexcept : value_{value} {}
    descriptor(descriptor&& other) noexcept : value_{std::exchange(other.value_, -1)} {}
    descriptor& operator=(descriptor&& other) noexcept;
    ~descriptor() { close(); }

    [[nodiscard]] int get() const noexcept { return value_; }
    void close() noexcept;

private:
    int value_ = -1;
};

}  // namespace ioring::backends::uring
