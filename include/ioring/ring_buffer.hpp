// SPDX-License-Identifier: MIT
// ring_buffer.hpp - a circular buffer whose free and whose filled part are each one range.
//
// The memory is mapped twice in a row, so that no range ever wraps: a receive goes straight into
// writable(), a send straight out of readable(), and nothing is copied between them. `head` and
// `tail` count bytes since creation and never decrease; the whole capacity can be filled.
//
//     recv into writable()  ->  commit_write(received)  ->  send readable()  ->  commit_read(sent)
//
// Ownership: move-only. One made by create() owns its memory and must outlive the operations on it;
// one of a buffer_pool belongs to the pool and is never moved from. Spans are valid while the
// buffer exists; what they show changes with the next commit.
// Threads: one at a time. Fork: a child has no such memory and must not touch the spans.
// Nothing but create() calls the system or allocates.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <system_error>

#include "ioring/detail/lent_memory.hpp"
#include "ioring/ids.hpp"

namespace ioring {

namespace detail {
class pool_state;
class private_group_state;
struct mirrored_memory;
}  // namespace detail

// How a ring_buffer is made.
struct ring_buffer_options {
    // Huge pages where the system has enough of them free, normal ones otherwise.
    bool huge_pages = false;
};

// A cache line, so that the buffers of two connections share none.
class alignas(64) ring_buffer {
public:
    // The greatest capacity in bytes: what the kernel pins as one buffer.
    static constexpr std::uint32_t capacity_max = 1U << 30U;

    // What the capacity must be a multiple of: the page, in bytes (Windows: 64 KiB); with huge
    // pages the huge page, or the page where the system has none.
    [[nodiscard]] static std::size_t granularity(bool huge_pages = false) noexcept;

    // Makes `out` an empty buffer of `bytes`. On an error `out` is unchanged and `why`, when given,
    // is a sentence.
    //
    // Errors: invalid_argument     `bytes` is 0, over capacity_max or no multiple of granularity();
    //                              `why` names both
    //         not_enough_memory    memory, or the number of mappings a process may have (two each)
    //         too_many_files_open  not even one descriptor is left
    [[nodiscard]] static std::error_code create(std::size_t bytes,
                                                const ring_buffer_options& options,
                                                ring_buffer& out,
                                                std::string* why = nullptr) noexcept;
#if defined(__cpp_exceptions)
    // As create(); throws std::system_error.
    explicit ring_buffer(std::size_t bytes, const ring_buffer_options& options = {});
#endif

    // No buffer: capacity() is 0.
    ring_buffer() noexcept = default;
    // A buffer of a pool, and one that a private_group uses, cannot be moved from (the target
    // becomes no buffer) nor assigned to (nothing happens).
    ring_buffer(ring_buffer&& other) noexcept { take_over(other); }
    ring_buffer& operator=(ring_buffer&& other) noexcept;
    // While the buffer is lent() its memory is leaked: the kernel may still write there.
    ~ring_buffer() {
        if (memory_ != nullptr) release_memory();
    }

    // Bytes it holds, all of them usable; 0: no buffer.
    [[nodiscard]] std::uint32_t capacity() const noexcept { return capacity_; }
    // Bytes read since creation; neither rewind() nor a pool's reuse resets it.
    [[nodiscard]] std::uint64_t head() const noexcept { return head_; }
    // Bytes written since creation, likewise.
    [[nodiscard]] std::uint64_t tail() const noexcept { return tail_; }
    // Written and not read, 0 to capacity().
    [[nodiscard]] std::uint32_t readable_bytes() const noexcept {
        return static_cast<std::uint32_t>(tail_ - head_);
    }
    // Free, 0 to capacity().
    [[nodiscard]] std::uint32_t writable_bytes() const noexcept {
        return capacity_ - readable_bytes();
    }
    // Nothing is readable.
    [[nodiscard]] bool empty() const noexcept { return tail_ == head_; }
    // Nothing is writable; so is a buffer that is none.
    [[nodiscard]] bool full() const noexcept { return writable_bytes() == 0; }

    // All unread bytes, as one range.
    [[nodiscard]] std::span<const std::byte> readable() const noexcept {
        return {base_ + read_offset_, readable_bytes()};
    }
    // readable(), for changing bytes in place (decrypting, unmasking).
    [[nodiscard]] std::span<std::byte> readable_in_place() noexcept {
        return {base_ + read_offset_, readable_bytes()};
    }
    // All free bytes, as one range. Never receive into it when it is empty: the result would look
    // like an end of stream.
    [[nodiscard]] std::span<std::byte> writable() noexcept {
        return {base_ + write_offset(), writable_bytes()};
    }

    // Where readable() begins within memory(), less than capacity(): for
    // ring::prepare_send_buffer().
    [[nodiscard]] std::uint32_t read_offset() const noexcept { return read_offset_; }
    // Where writable() begins, likewise: for ring::prepare_recv_buffer().
    [[nodiscard]] std::uint32_t write_offset() const noexcept {
        const std::uint32_t end = read_offset_ + readable_bytes();  // Less than 2 * capacity.
        return end >= capacity_ ? end - capacity_ : end;
    }

    // Lends writable() to one receive, until commit_write(). Empty, and nothing has happened, when
    // the buffer is full or lent already. Optional: it is what makes rewind(), a pool's release and
    // the destructor notice a receive in flight, and AddressSanitizer a touch of it meanwhile.
    [[nodiscard]] std::span<std::byte> begin_write() noexcept {
        if (lent_ != not_lent || full()) return {};
        lent_ = lent_to_receive;
        detail::lend_mirrored(memory(), write_offset(), writable_bytes());
        return writable();
    }
    // A receive, or a private_group, may be writing into it.
    [[nodiscard]] bool lent() const noexcept { return lent_ != not_lent; }

    // The first `bytes` of writable() are filled, and the receive that it was lent to has ended (0:
    // with an error, or the end of the stream). False, and nothing has changed, when that is more
    // than writable_bytes() (as a negative result converted to an unsigned number is), or when a
    // private_group writes here.
    bool commit_write(std::uint64_t bytes) noexcept {
        if (bytes > writable_bytes() || lent_ == lent_to_group) return false;
        if (lent_ == lent_to_receive) {
            detail::reclaim_mirrored(memory(), write_offset(), writable_bytes());
        }
        tail_ += bytes;
        lent_ = not_lent;
        return true;
    }
    // The first `bytes` of readable() are done with: their memory may be written again. False, and
    // nothing has changed, when that is more than readable_bytes().
    bool commit_read(std::uint64_t bytes) noexcept {
        if (bytes > readable_bytes()) return false;
        head_ += bytes;
        const std::uint32_t end = read_offset_ + static_cast<std::uint32_t>(bytes);
        read_offset_ = end >= capacity_ ? end - capacity_ : end;
        return true;
    }
    // Makes both offsets 0, so that a mostly empty buffer uses the same few pages and cache lines.
    // False, and nothing has changed, unless it is empty and not lent.
    bool rewind() noexcept {
        if (!empty() || lent()) return false;
        read_offset_ = 0;
        return true;
    }

    // Both views, 2 * capacity() bytes: what ring::register_buffer() takes.
    [[nodiscard]] std::span<std::byte> memory() noexcept {
        return {base_, std::size_t{2} * capacity_};
    }
    // The id under which memory() is registered, or buffer_id::invalid.
    [[nodiscard]] buffer_id id() const noexcept { return id_; }
    // To be told by who registers and unregisters it. A pool does so itself: nothing happens then.
    void set_id(buffer_id id) noexcept {
        if (pool_use_ == 0) id_ = id;
    }

    // Whether it got the huge pages that it was asked to have.
    [[nodiscard]] bool uses_huge_pages() const noexcept;

private:
    friend class detail::private_group_state;
    friend class detail::pool_state;

    static constexpr std::uint8_t not_lent = 0;
    static constexpr std::uint8_t lent_to_receive = 1;
    static constexpr std::uint8_t lent_to_group = 2;

    void take_over(ring_buffer& other) noexcept;
    void release_memory() noexcept;

    std::byte* base_ = nullptr;
    std::uint64_t head_ = 0;
    std::uint64_t tail_ = 0;
    std::uint32_t capacity_ = 0;
    std::uint32_t read_offset_ = 0;
    buffer_id id_ = buffer_id::invalid;
    std::uint8_t lent_ = not_lent;
    std::uint8_t pool_use_ = 0;                  // detail::pool_state's; 0: of no pool.
    detail::mirrored_memory* memory_ = nullptr;  // Owned; nullptr: a pool's, or no buffer.
};
static_assert(sizeof(ring_buffer) == 64);

}  // namespace ioring
