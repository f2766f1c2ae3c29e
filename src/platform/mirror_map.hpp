// SPDX-License-Identifier: MIT
// mirror_map.hpp - memory in which each buffer is visible twice in a row.
//
// A mirror_map holds `count` buffers of `buffer_bytes` each. Buffer i occupies the addresses
// [base(i), base(i) + 2 * buffer_bytes), whose two halves are the same memory: a byte written at
// offset n is read at n + buffer_bytes as well. So every window of up to buffer_bytes that starts
// in the first half is one contiguous range, also where a circular buffer would wrap.
//
// Cost: all buffers are one memory object with one descriptor, open only while create() runs. The
// second view of a buffer and the first view of the next are neighbours in the object too, so that
// `count` buffers need count + 1 mappings (Linux counts them against vm.max_map_count). The memory
// is zero, and is not taken from the system before it is touched.
//
// Fork: the memory is not inherited by a child of fork(), so that the child cannot change what the
// parent's kernel is sending. In the child the addresses are not mapped, base() must not be read
// and the destructor does nothing. (A child made by the bare system call is not noticed.)
//
// Threads: create() may be called from any; a made map is only read, until it is moved or
// destroyed.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

namespace ioring::platform {

struct mirror_options {
    // Uses the system's huge pages when enough of them are configured and free, normal pages
    // otherwise: uses_huge_pages() tells. Linux only; elsewhere always normal pages.
    bool huge_pages = false;
};

class mirror_map {
public:
    // What a buffer's size must be a multiple of: the page, in bytes (Windows: 64 KiB). `huge`: the
    // huge page, or the page where the system has none.
    [[nodiscard]] static std::size_t granularity(bool huge = false) noexcept;

    // Makes `out` a map of `count` zeroed buffers. On an error `out` is unchanged, nothing stays
    // mapped or open, and `why`, when given, is a sentence that says what to do.
    //
    // Errors: invalid_argument     buffer_bytes is 0 or no multiple of granularity(huge_pages),
    // count
    //                              is 0, or both together exceed the address space
    //         not_enough_memory    memory, address space, or the number of mappings a process may
    //         have too_many_files_open  not even one descriptor is left
    [[nodiscard]] static std::error_code create(std::size_t buffer_bytes, std::size_t count,
                                                const mirror_options& options, mirror_map& out,
                                                std::string* why = nullptr) noexcept;

    // An empty map: count() is 0.
    mirror_map() noexcept = default;
    mirror_map(mirror_map&& other) noexcept : fields_(std::exchange(other.fields_, {})) {}
    mirror_map& operator=(mirror_map&& other) noexcept;
    ~mirror_map();

    // The first address of buffer `index`.
    [[nodiscard]] std::byte* base(std::size_t index) const noexcept {
        assert(index < fields_.count);
        return fields_.data + 2 * index * fields_.buffer_bytes;
    }
    // The whole range, [data(), data() + mapped_bytes()): all buffers, both views. Addresses, that
    // is; memory is used for half of it.
    [[nodiscard]] std::byte* data() const noexcept { return fields_.data; }
    [[nodiscard]] std::size_t mapped_bytes() const noexcept {
        return 2 * fields_.buffer_bytes * fields_.count;
    }
    [[nodiscard]] std::size_t buffer_bytes() const noexcept { return fields_.buffer_bytes; }
    [[nodiscard]] std::size_t count() const noexcept { return fields_.count; }
    [[nodiscard]] bool uses_huge_pages() const noexcept { return fields_.huge_pages; }

private:
    friend class mirror_map_factory;

    struct fields {
        std::byte* data = nullptr;
        std::size_t buffer_bytes = 0;
        std::size_t count = 0;
        std::uint32_t fork_generation = 0;  // Of the process that owns the mapping.
        bool huge_pages = false;
    };

    void unmap() noexcept;

    fields fields_;
};

}  // namespace ioring::platform
