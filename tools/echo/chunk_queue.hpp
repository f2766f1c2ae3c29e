// SPDX-License-Identifier: MIT
// chunk_queue.hpp - what a connection has received and not sent, as pieces where they lie.
//
// A chunk is borrowed from the shared buffer group, or owned: moved to memory of its own because
// its connection does not get rid of it and others need the group's buffer. Beyond reserve(), the
// queue allocates only when it grows over what it has ever held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/message_types.hpp"

namespace echo {

struct chunk {
    std::byte* data = nullptr;
    std::uint32_t bytes = 0;
    bool owned = false;
};

class chunk_queue {
public:
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::uint32_t chunks() const noexcept { return count_; }
    [[nodiscard]] std::uint32_t owned_chunks() const noexcept { return owned_; }
    [[nodiscard]] bool front_is_owned() const noexcept { return count_ != 0 && at(0).owned; }

    // Makes room for as many chunks as most connections ever hold at a time.
    void reserve() {
        if (ring_.empty()) grow();
    }
    void push(std::span<std::byte> borrowed) {
        append({borrowed.data(), static_cast<std::uint32_t>(borrowed.size()), false});
    }

    struct gathered {
        std::uint32_t pieces = 0;
        std::uint32_t bytes = 0;
    };
    // The first unsent bytes as pieces for one send; chunks that lie side by side are one piece. An
    // owned chunk is sent alone, so that what is behind it may be moved meanwhile.
    gathered gather(std::span<::iovec> out) const noexcept;

    // The first `bytes` bytes have been sent. Calls release(chunk) for each that is finished.
    template <class Release>
    void consume(std::uint64_t bytes, Release&& release) {
        bytes_ -= bytes;
        while (bytes != 0) {
            const std::uint64_t left = at(0).bytes - front_sent_;
            if (bytes < left) {
                front_sent_ += static_cast<std::uint32_t>(bytes);
                return;
            }
            bytes -= left;
            release(pop());
        }
    }

    // Bytes that own_from() would copy.
    [[nodiscard]] std::uint32_t bytes_from(std::uint32_t first) const noexcept;
    // Moves the unsent bytes of all chunks from `first` (0 or 1) on into `memory`, of that size,
    // which becomes one owned chunk. Calls release(chunk) for each that was moved.
    template <class Release>
    void own_from(std::uint32_t first, std::byte* memory, Release&& release) {
        const std::uint32_t moved = bytes_from(first);
        copy_from(first, memory);
        for (std::uint32_t index = first; index < count_; ++index) {
            if (at(index).owned) --owned_;
            release(at(index));
        }
        count_ = first;
        if (first == 0) front_sent_ = 0;
        bytes_ -= moved;
        append({memory, moved, true});
    }

private:
    [[nodiscard]] const chunk& at(std::uint32_t index) const noexcept {
        return ring_[(first_ + index) & (ring_.size() - 1)];
    }
    void append(const chunk& added);
    chunk pop() noexcept;
    void grow();
    void copy_from(std::uint32_t first, std::byte* memory) const noexcept;

    std::vector<chunk> ring_;  // A power of two, or empty.
    std::size_t first_ = 0;
    std::uint64_t bytes_ = 0;
    std::uint32_t count_ = 0;
    std::uint32_t owned_ = 0;
    std::uint32_t front_sent_ = 0;  // Bytes of the first chunk that are gone.
};

}  // namespace echo
